/** The page /design: opens what it shows. */
import { toast } from "./site/toast.js";

for (const button of document.querySelectorAll("[data-design-dialog]")) {
  button.addEventListener("click", () => document.getElementById(button.dataset.designDialog).showModal());
}
for (const button of document.querySelectorAll("[data-design-toast]")) {
  button.addEventListener("click", () => toast(button.dataset.designToast, { undo: () => {} }));
}
