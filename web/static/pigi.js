// All that pages do by script: forms (forms.js, with what they hold in fields.js, lists.js and panes.js, and where they lead in places.js), line numbers (editor.js),
// drafts (drafts.js), uploads (uploads.js), the way to Stripe and back (billing.js), jobs as they happen (live.js),
// the command palette (palette.js), and the shell around them (shell.js).
import { followBilling } from "./billing.js";
import { followDrafts } from "./drafts.js";
import { numberLines } from "./editor.js";
import { followForms } from "./forms.js";
import { followJobs } from "./live.js";
import { followPalette } from "./palette.js";
import { furnish } from "./shell.js";
import { followUploads } from "./uploads.js";

furnish();
numberLines();
followForms();
followBilling();
followUploads();
followJobs();
followDrafts();
followPalette();
