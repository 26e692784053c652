// Columns are dragged to the fields that they fill. Without this file they are chosen in selects.
(() => {
  const KIND = "application/x-studio-column";
  const OVER = ["outline-2", "outline-primary"];

  const takerOf = (event) => event.target.closest?.("[data-takes-column]");

  document.addEventListener("dragstart", (event) => {
    const column = event.target.closest?.("[data-column][draggable]")?.dataset.column;
    if (column === undefined) return;
    event.dataTransfer.setData(KIND, column);
    event.dataTransfer.effectAllowed = "link";
  });
  document.addEventListener("dragover", (event) => {
    const select = takerOf(event);
    if (!select || !event.dataTransfer.types.includes(KIND)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "link";
    select.classList.add(...OVER);
  });
  document.addEventListener("dragleave", (event) => takerOf(event)?.classList.remove(...OVER));
  document.addEventListener("drop", (event) => {
    const select = takerOf(event);
    const column = event.dataTransfer.getData(KIND);
    if (!select || !column) return;
    event.preventDefault();
    select.classList.remove(...OVER);
    select.value = column;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
