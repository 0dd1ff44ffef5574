/** The upload page: its form takes several files, and lists what was begun elsewhere. */
import { t } from "../i18n.js";
import { UnfinishedList } from "./unfinished.js";
import { Uploader } from "./uploader.js";

/** @param {HTMLFormElement} form @returns {Uploader} */
export function startPage(form) {
  const section = document.getElementById("transfers");
  let unfinished;
  const uploader = new Uploader({
    form,
    template: document.getElementById("transfer"),
    submission: form.elements.submission.value,
    onUnfinished: () => unfinished.refresh(),
    place: {
      list: section.querySelector("ul"),
      note: document.getElementById("transfers-note"),
      announcer: document.getElementById("announcer"),
      show: () => {
        section.hidden = false;
      },
      changed: () => {},
    },
  });
  unfinished = new UnfinishedList({
    section: document.getElementById("unfinished"),
    template: document.getElementById("unfinished-upload"),
    uploadsApi: uploader.shared.uploadsApi,
    announcer: uploader.shared.announcer,
    take: (files) => uploader.take(files),
  });
  enhance(form, uploader);
  uploader.restore().then(() => unfinished.refresh());
  return uploader;
}

function enhance(form, uploader) {
  const input = form.elements.file;
  for (const part of document.querySelectorAll("[data-native]")) part.hidden = true;
  for (const part of document.querySelectorAll("[data-enhanced]")) part.hidden = false;
  const label = form.querySelector("label[for=file]");
  label.className = "button primary";
  label.textContent = t("Choose videos");
  input.classList.add("hidden-text");
  input.multiple = true;
  const takeChosen = () => {
    uploader.take([...input.files]);
    input.value = "";
  };
  input.addEventListener("change", takeChosen);
  // On a slow line, a file may have been chosen before this script was there.
  if (input.files.length > 0) takeChosen();
  form.addEventListener("submit", (event) => event.preventDefault());
}
