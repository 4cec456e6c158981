(function () {
  "use strict";
  var form = document.querySelector(".filter");
  if (form) {
    var path = document.getElementById("filter-path");
    var cause = document.getElementById("filter-cause");
    var count = document.getElementById("filter-count");
    var rows = Array.prototype.map.call(document.querySelectorAll(".differences tbody tr"), function (row) {
      return { row: row, path: row.cells[0].textContent.toLowerCase(), causes: " " + row.dataset.causes };
    });
    var apply = function () {
      var wanted = path.value.toLowerCase(), named = cause.value, shown = 0;
      rows.forEach(function (item) {
        var keep = item.path.indexOf(wanted) !== -1 && (!named || item.causes.indexOf(" " + named + " ") !== -1);
        item.row.hidden = !keep;
        shown += keep ? 1 : 0;
      });
      count.textContent = shown + " of " + rows.length;
    };
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    apply();
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
