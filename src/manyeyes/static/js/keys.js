/* Single keys of the console. Every key has a visible button or link (data-key); without this file all of them still work. */
(function () {
  "use strict";
  var body = document.body;
  if (body.dataset.keys === "off") { return; }
  var needsAlt = body.dataset.keys === "alt";
  var goPressedAt = 0;

  function typing(target) {
    return target instanceof Element && (target.isContentEditable || target.closest("input:not([type=checkbox]), select, textarea") !== null);
  }

  function shown(element) {
    return element.getClientRects().length > 0 && element.getAttribute("aria-disabled") !== "true" && !element.disabled;
  }

  function find(attribute, key) {
    var all = Array.prototype.slice.call(document.querySelectorAll("[" + attribute + "]"));
    return all.filter(function (element) { return element.getAttribute(attribute) === key && shown(element); })[0];
  }

  function rows() {
    return Array.prototype.slice.call(document.querySelectorAll("[data-list] [data-row]")).filter(shown);
  }

  function current(list) {
    return list.findIndex(function (row) { return row.classList.contains("current"); });
  }

  function step(by) {
    var list = rows();
    if (!list.length) { return false; }
    var at = current(list);
    var next = Math.min(Math.max(at < 0 ? (by > 0 ? 0 : list.length - 1) : at + by, 0), list.length - 1);
    list.forEach(function (row, index) { row.classList.toggle("current", index === next); });
    var link = list[next].querySelector("a[href]");
    if (link) { link.focus({ preventScroll: true }); }
    list[next].scrollIntoView({ block: "nearest" });
    return true;
  }

  function box(row) { return row ? row.querySelector("input[type=checkbox]") : null; }

  // Ticks the row one is on, or takes the tick away.
  function pick() {
    var list = rows();
    var tick = box(list[current(list)]);
    if (tick) { tick.click(); }
    return tick !== null;
  }

  // What acts on selected rows acts on the row one is on where none is selected.
  function pickOne() {
    var list = rows();
    var tick = box(list[current(list)]);
    if (tick && !list.some(function (row) { return box(row) && box(row).checked; })) { tick.click(); }
  }

  function use(element) {
    if (!element) { return false; }
    if (element.hasAttribute("data-picks")) { pickOne(); }
    if (element.matches("input:not([type=submit]), textarea, select")) { element.focus(); return true; }
    element.click();
    var place = element.matches("summary") ? element.parentElement :
      (element.getAttribute("href") || "").charAt(0) === "#" && document.querySelector(element.getAttribute("href"));
    var field = place && place.querySelector("textarea, select, input:not([type=hidden])");
    if (field) { field.focus(); }  // a key that opens a composer leads on into it
    return true;
  }

  // The form of the focus; where nothing has the focus, the one form the page is for.
  function formOf(target) {
    var form = target instanceof Element && target.closest("form");
    if (form) { return form; }
    var main = Array.prototype.slice.call(document.querySelectorAll("main form .actions > button.go")).filter(shown);
    return main.length === 1 ? main[0].form : null;
  }

  function send(target) {
    var form = formOf(target);
    if (!form || (form.method || "").toLowerCase() !== "post") { return false; }
    form.requestSubmit(form.querySelector("button:not([type=button]), input[type=submit]"));  // as Enter in a field does
    return true;
  }

  function press(event) {
    var key = event.key;
    if (goPressedAt && Date.now() - goPressedAt < 1500) {
      goPressedAt = 0;
      return use(find("data-go", key));
    }
    if (key === "j") { return step(1); }
    if (key === "k") { return step(-1); }
    if (key === "x") { return pick(); }
    if (key === "g") { goPressedAt = Date.now(); return true; }
    return use(find("data-key", key));
  }

  document.addEventListener("keydown", function (event) {
    if (event.defaultPrevented || event.isComposing) { return; }
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      if (send(event.target)) { event.preventDefault(); }
      return;
    }
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey !== needsAlt || typing(event.target) || event.key === "Enter") { return; }
    if (press(event)) { event.preventDefault(); }
  });
})();
