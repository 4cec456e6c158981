(function () {
  "use strict";
  var form = document.querySelector(".filter");
  if (form) {
    var path = document.getElementById("filter-path");
    var cause = document.getElementById("filter-cause");
    var count = document.getElementById("filter-count");
    var section = document.getElementById("differences");
    var number = function (value) { return value.toLocaleString("en-US"); };
    var chunks = null;
    var read = function () {
      return Array.prototype.map.call(section.querySelectorAll(".chunk"), function (chunk) {
        return { chunk: chunk, rows: Array.prototype.map.call(chunk.querySelectorAll("tbody tr"), function (row) {
          var cells = row.cells;
          return { row: row, path: cells[0].textContent.toLowerCase(), causes: " " + cells[cells.length - 1].textContent };
        }) };
      });
    };
    var apply = function () {
      var wanted = path.value.toLowerCase(), named = cause.value, shown = 0, total = 0;
      chunks = chunks || read();
      chunks.forEach(function (item) {
        var kept = 0;
        item.rows.forEach(function (each) {
          var keep = each.path.indexOf(wanted) !== -1 && (!named || each.causes.indexOf(" " + named + " ") !== -1);
          each.row.hidden = !keep;
          kept += keep ? 1 : 0;
        });
        item.chunk.hidden = !kept;
        shown += kept;
        total += item.rows.length;
      });
      section.classList.toggle("filtered", shown !== total);
      count.textContent = number(shown) + " of " + number(total);
    };
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
  }
  if (navigator.clipboard) {
    Array.prototype.forEach.call(document.querySelectorAll(".copy"), function (text) {
      var button = document.createElement("button");
      button.type = "button";
      button.className = "copy-button";
      button.textContent = "Copy";
      button.setAttribute("aria-label", "Copy the remedy");
      button.addEventListener("click", function () {
        navigator.clipboard.writeText(text.textContent).then(function () { button.textContent = "Copied"; });
      });
      text.parentNode.appendChild(button);
    });
  }
  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = Array.prototype.filter.call(document.querySelectorAll(".finding details"), function (each) { return !each.open; });
    opened.forEach(function (each) { each.open = true; });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (each) { each.open = false; });
  });
})();
