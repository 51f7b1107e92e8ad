/* Offers the browser's own time zone first, in every list that asks for it (data-likely: the words above it). It chooses nothing. */
(function () {
  "use strict";
  var here = "";
  try { here = Intl.DateTimeFormat().resolvedOptions().timeZone || ""; } catch (nothing) { return; }
  document.querySelectorAll("select[data-likely]").forEach(function (list) {
    var found = Array.prototype.find.call(list.options, function (one) { return one.value === here; });
    if (!here || !found) { return; }
    var group = document.createElement("optgroup"), first = document.createElement("option");
    group.label = list.dataset.likely;
    first.value = here;
    first.textContent = here.replace(/_/g, " ");
    group.appendChild(first);
    list.insertBefore(group, list.querySelector("optgroup"));
  });
}());
