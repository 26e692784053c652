// Cells of the table that are edited in place. Without this file a row is edited on its own page.
(() => {
  const undone = `undo:${location.pathname}`;
  let before = null; // what stood in the cell that is open

  const tables = () => document.querySelectorAll("tbody[data-cells]");
  const cellOf = (node) => node?.closest?.("tbody[data-cells] td[data-cell]") ?? null;
  const isOpen = (cell) => Boolean(cell?.querySelector("[data-cell-editor]"));

  function prepare() {
    for (const body of tables()) {
      body.closest("table").setAttribute("role", "grid");
      const cells = [...body.querySelectorAll("td[data-cell]")];
      const now = cells.find((cell) => cell.tabIndex === 0) ?? cells[0];
      for (const cell of cells) cell.tabIndex = cell === now ? 0 : -1;
    }
    for (const form of document.querySelectorAll("[data-cell-editor]:not([data-ready])")) {
      form.dataset.ready = "yes";
      const value = form.querySelector("[data-cell-value]");
      form.dataset.was ??= value.value;
      value.focus();
      if (value.select) value.setSelectionRange(value.value.length, value.value.length);
    }
    for (const form of document.querySelectorAll("form[data-undo]:not([data-ready])")) {
      form.dataset.ready = "yes";
      remember(form.dataset.undo);
    }
    for (const done of document.querySelectorAll("[data-cell-saved]")) {
      const cell = cellOf(done);
      done.replaceWith(done.textContent);
      before = null;
      if (cell && (document.activeElement === document.body || !document.activeElement)) cell.focus();
    }
  }

  function list() {
    try {
      return JSON.parse(sessionStorage.getItem(undone) ?? "[]");
    } catch {
      return []; // storage may be forbidden: the button in the message is there still
    }
  }

  function keep(numbers) {
    try {
      sessionStorage.setItem(undone, JSON.stringify(numbers.slice(-50)));
    } catch {
      // as above
    }
  }

  function remember(number) {
    const numbers = list();
    if (!numbers.includes(number)) keep([...numbers, number]);
  }

  function undo() {
    const numbers = list();
    const number = numbers.pop();
    const body = document.querySelector("tbody[data-cells]");
    if (number === undefined || !body) return false;
    keep(numbers);
    const url = body.dataset.undo.replace("/0/", `/${number}/`);
    htmx.ajax("POST", url, { target: "#problems", swap: "innerHTML" });
    return true;
  }

  function open(cell) {
    if (isOpen(cell)) return;
    const row = cell.closest("tr");
    const body = cell.closest("tbody");
    close();
    before = { cell, text: cell.textContent };
    const url = body.dataset.cells.replace("/0/", `/${row.dataset.row}/`);
    htmx.ajax("GET", url, {
      target: cell,
      swap: "innerHTML",
      values: { column: cell.dataset.cell, base: baseOf(row) },
    });
  }

  const baseOf = (row) => row.dataset.base ?? row.closest("tbody").dataset.base;

  function close({ focus = false } = {}) {
    if (!before) return;
    const { cell, text } = before;
    before = null;
    const form = cell.querySelector("[data-cell-editor]");
    if (form) form.dataset.sent = "yes"; // taking it away takes its focus, too: that saves nothing
    cell.textContent = text;
    if (focus) cell.focus();
  }

  function move(cell, key) {
    const row = cell.closest("tr");
    const at = [...row.querySelectorAll("td[data-cell]")].indexOf(cell);
    let next = null;
    if (key === "ArrowLeft") next = row.querySelectorAll("td[data-cell]")[at - 1];
    if (key === "ArrowRight") next = row.querySelectorAll("td[data-cell]")[at + 1];
    const beside = key === "ArrowUp" ? "previousElementSibling" : "nextElementSibling";
    if (key === "ArrowUp" || key === "ArrowDown")
      next = row[beside]?.querySelectorAll("td[data-cell]")[at];
    if (!next) return;
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  document.addEventListener("click", (event) => {
    const cell = cellOf(event.target);
    if (event.target.closest("[data-cell-take]")) {
      if (before) before.text = event.target.closest("[data-cell-take]").dataset.cellTake;
      close({ focus: true });
    } else if (cell && !isOpen(cell) && !event.target.closest("a, button") && !getSelection().toString()) {
      open(cell);
    }
  });

  document.addEventListener("keydown", (event) => {
    const cell = cellOf(event.target);
    const form = event.target.closest?.("[data-cell-editor]");
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (form) {
      if (event.key === "Escape") {
        event.preventDefault();
        close({ focus: true });
      } else if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea, select")) {
        event.preventDefault();
        send(form);
      }
    } else if (cell && event.target === cell && !event.ctrlKey && !event.metaKey && !event.altKey) {
      if (event.key === "Enter" || event.key === "F2") {
        event.preventDefault();
        open(cell);
      } else if (event.key.startsWith("Arrow")) {
        event.preventDefault();
        move(cell, event.key);
      }
    }
    if (!typing && (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z") {
      if (undo()) event.preventDefault();
    }
  });

  const isChanged = (form) => form.querySelector("[data-cell-value]").value !== form.dataset.was;

  function send(form) {
    form.dataset.sent = "yes";
    if (isChanged(form) || form.querySelector("[role=alert]")) form.requestSubmit();
    else close({ focus: true });
  }

  document.addEventListener("focusout", (event) => {
    const form = event.target.closest?.("[data-cell-editor]");
    if (!form || form.contains(event.relatedTarget) || form.dataset.sent || !document.hasFocus()) return;
    if (!form.isConnected || form.querySelector("[role=alert]")) return; // a question stays open
    if (isChanged(form)) send(form);
    else close();
  });

  document.addEventListener("rowSaved", (event) => {
    const { row, version } = event.detail;
    for (const one of document.querySelectorAll(`tr[data-row="${row}"]`)) one.dataset.base = version;
  });

  document.addEventListener("rowsUndone", (event) => {
    const { version, rows } = event.detail;
    for (const [number, cells] of Object.entries(rows)) {
      for (const row of document.querySelectorAll(`tr[data-row="${number}"]`)) {
        row.dataset.base = version;
        for (const cell of row.querySelectorAll("td[data-cell]"))
          if (!isOpen(cell)) cell.textContent = cells[cell.dataset.cell] ?? "";
      }
    }
  });

  document.addEventListener("DOMContentLoaded", prepare);
  document.addEventListener("htmx:afterSettle", prepare);
  document.addEventListener("htmx:oobAfterSwap", prepare);
})();
