"use strict";
// Sorts, filters and fills the table of cases. Its state is the page's fragment, as in #sort=-3&metric=HD95, so that a
// view can be linked to: columns count from 1, and a minus sorts downwards.
(() => {
  const source = document.getElementById("values");
  if (!source) return;
  const { infinite, measures } = JSON.parse(source.textContent, (_, value) => (value === "∞" ? Infinity : value));
  const body = document.getElementById("cases").tBodies[0];
  const heads = Array.from(document.getElementById("cases").tHead.rows[0].cells);
  const rows = Array.from(body.rows, (row, index) => ({
    row,
    index,
    name: row.cells[0].querySelector("bdi").textContent,
    cells: Array.from(row.cells).slice(1),
  }));
  const metric = document.getElementById("metric");
  const filter = document.getElementById("filter");
  const count = document.getElementById("count");
  const state = { metric: measures[0].name, column: 0, down: false, filter: "" };
  const current = () => measures.find((measure) => measure.name === state.metric);

  function fill() {
    const { caption, digits, rows: values, undefined: reason } = current();
    const format = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    document.getElementById("meaning").textContent = caption;
    metric.value = state.metric;
    for (const { index, cells } of rows) {
      cells.forEach((cell, column) => {
        const value = values[index][column];
        cell.textContent = value === null ? "NaN" : format.format(value);
        cell.classList.toggle("none", value === null);
        if (Number.isFinite(value)) cell.removeAttribute("title");
        else cell.title = value === null ? reason : infinite;
      });
    }
  }

  // NaN stands last whichever way the others are sorted, and equals keep the order of their names.
  function order() {
    const values = current().rows;
    const value = (entry) => values[entry.index][state.column - 1];
    const sign = state.down ? -1 : 1;
    return rows.slice().sort((a, b) => {
      if (state.column === 0) return sign * (a.index - b.index);
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      return x === y ? 0 : x < y ? -sign : sign;
    });
  }

  function sort() {
    body.append(...order().map((entry) => entry.row));
    heads.forEach((head, column) => {
      const direction = state.down ? "descending" : "ascending";
      head.setAttribute("aria-sort", column === state.column ? direction : "none");
    });
  }

  function sift() {
    const wanted = state.filter.toLowerCase();
    if (filter.value !== state.filter) filter.value = state.filter;
    const found = rows.filter(({ row, name }) => {
      row.hidden = !name.toLowerCase().includes(wanted);
      return !row.hidden;
    });
    count.textContent = found.length === rows.length ? "" : `${found.length} of ${rows.length} cases`;
  }

  function read() {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const sorted = Number.parseInt(fragment.get("sort"), 10);
    if (Math.abs(sorted) >= 1 && Math.abs(sorted) <= heads.length) {
      state.column = Math.abs(sorted) - 1;
      state.down = sorted < 0;
    }
    if (measures.some((measure) => measure.name === fragment.get("metric"))) state.metric = fragment.get("metric");
    if (fragment.has("filter")) state.filter = fragment.get("filter");
    fill();
    sort();
    sift();
  }

  function change(part) {
    Object.assign(state, part);
    if ("metric" in part) fill();
    if ("metric" in part || "column" in part) sort();
    sift();
    const fragment = new URLSearchParams({ sort: (state.down ? -1 : 1) * (state.column + 1), metric: state.metric });
    if (state.filter) fragment.set("filter", state.filter);
    try {
      history.replaceState(null, "", `#${fragment}`);
    } catch {
      // A page inside of another, as notebooks show it, has no address to change.
    }
  }

  // A case that a point or a picture leads to is shown, though the filter hid it.
  function reveal(row) {
    if (row.hidden) change({ filter: "" });
    row.scrollIntoView({ block: "center" });
    rows.forEach((entry) => entry.row.classList.toggle("found", entry.row === row));
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => change({ column, down: column === state.column && !state.down }));
    head.append(button);
  });
  metric.addEventListener("change", () => change({ metric: metric.value }));
  filter.addEventListener("input", () => change({ filter: filter.value }));
  document.getElementById("controls").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    const point = event.target.closest("circle[data-case], a[href^='#case-']");
    if (!point) return;
    event.preventDefault();
    reveal(document.getElementById(point.getAttribute("href")?.slice(1) ?? `case-${point.dataset.case}`));
  });
  window.addEventListener("hashchange", read);
  document.getElementById("controls").hidden = false;
  read();
  document.documentElement.dataset.ready = "true";
})();
