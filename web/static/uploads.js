// <form data-upload action=/api/v1/…> sends the file that was chosen as the request's body, and says how far it is.
// What comes back is a job, of which data-then (places.js) has fields.
import { complain, cookie, problemOf } from "./forms.js";
import { goTo, placeAfter } from "./places.js";

const units = ["bytes", "KB", "MB", "GB"];

export function followUploads() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-upload]");
    if (!form) return;
    event.preventDefault();
    upload(form);
  });
}

function upload(form) {
  const file = form.querySelector("input[type=file]").files[0];
  if (!file || form.ariaBusy === "true") return;
  form.querySelector(":scope > .summary")?.remove();
  const request = new XMLHttpRequest();
  const stop = form.querySelector("[data-upload-stop]");
  const leaving = (event) => event.preventDefault();
  const end = () => {
    busy(form, stop, false);
    removeEventListener("beforeunload", leaving);
  };
  request.upload.addEventListener("progress", (event) => show(form, event.loaded, file.size));
  request.addEventListener("load", () => {
    end();
    if (request.status === 202) goTo(placeAfter(form, JSON.parse(request.responseText)));
    else complain(form, new Map(), problemOf(request));
  });
  request.addEventListener("error", () => {
    end();
    complain(form, new Map(), { title: "The upload broke off.", detail: "Check your connection and send it again: nothing was imported." });
  });
  request.addEventListener("abort", end);
  stop.onclick = () => request.abort();
  request.open("POST", form.getAttribute("action"));
  request.setRequestHeader("Accept", "application/json, application/problem+json");
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.setRequestHeader("X-XSRF-TOKEN", cookie("XSRF-TOKEN") ?? "");
  busy(form, stop, true);
  addEventListener("beforeunload", leaving);
  show(form, 0, file.size);
  request.send(file);
}

function busy(form, stop, on) {
  form.ariaBusy = String(on);
  stop.hidden = !on;
  for (const one of form.querySelectorAll("button:not([type=button]), input")) one.disabled = on;
  form.querySelector("[data-upload-progress]").hidden = !on;
}

function show(form, sent, size) {
  form.querySelector("progress").value = size ? sent / size : 1;
  form.querySelector("[data-upload-said]").textContent = sent < size ? `${spoken(sent)} of ${spoken(size)}` : "Storing it";
}

function spoken(count) {
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(count, 1)) / 10));
  return `${(count / 1024 ** unit).toFixed(unit && count / 1024 ** unit < 10 ? 1 : 0)} ${units[unit]}`;
}
