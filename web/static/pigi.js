// All that pages do by script: forms (forms.js), jobs as they happen (live.js), and the shell around them (shell.js).
import { followForms } from "./forms.js";
import { followJobs } from "./live.js";
import { furnish } from "./shell.js";

furnish();
followForms();
followJobs();
