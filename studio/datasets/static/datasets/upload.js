// The upload form with a drop area and a progress bar. Without this file it is a plain form.
(() => {
  const HIDDEN = ["absolute", "inset-0", "h-full", "opacity-0", "cursor-pointer"];
  const OVER = ["border-primary", "bg-primary/10"];

  function megabytes(bytes) {
    return bytes < 100_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
  }

  function enhance(form) {
    const input = form.querySelector("input[type=file]");
    const area = form.querySelector("[data-drop]");
    const chosen = form.querySelector("[data-chosen]");
    const bar = form.querySelector("[data-progress]");
    if (!input || form.dataset.enhanced) return;
    form.dataset.enhanced = "yes";
    // The input covers the area: the browser itself takes dropped files then.
    input.classList.add(...HIDDEN);
    input.classList.remove("file-input");
    for (const type of ["dragenter", "dragover"])
      area.addEventListener(type, () => area.classList.add(...OVER));
    for (const type of ["dragleave", "drop"])
      area.addEventListener(type, () => area.classList.remove(...OVER));
    input.addEventListener("focus", () => area.classList.add("outline-2", "outline-primary"));
    input.addEventListener("blur", () => area.classList.remove("outline-2", "outline-primary"));
    input.addEventListener("change", () => {
      const file = input.files[0];
      const tooLarge = file && file.size > Number(form.dataset.max);
      chosen.textContent = file
        ? `${file.name}, ${megabytes(file.size)}${tooLarge ? ": this is more than is taken here" : ""}`
        : "";
      if (file && !tooLarge) form.requestSubmit();
    });
    form.addEventListener("htmx:xhr:progress", (event) => {
      if (!event.detail.lengthComputable) return;
      bar.hidden = false;
      bar.value = event.detail.loaded / event.detail.total;
      if (bar.value === 1) {
        bar.removeAttribute("value");
        chosen.textContent = "Arrived. Looking at what is in it …";
      }
    });
    form.addEventListener("htmx:sendError", () => {
      bar.hidden = true;
      chosen.textContent = "The connection broke. Choose the file again.";
    });
  }

  function enhanceAll() {
    document.querySelectorAll("form[data-upload]").forEach(enhance);
  }

  document.addEventListener("DOMContentLoaded", enhanceAll);
  document.addEventListener("htmx:afterSettle", enhanceAll);
})();
