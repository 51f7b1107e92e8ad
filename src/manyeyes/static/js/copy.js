/* Copies what a button names (data-copy: an id). Without this file, or where a browser lets no page copy, there is no button. */
(function () {
  "use strict";
  if (!navigator.clipboard) { return; }
  document.querySelectorAll("[data-copy]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var said = document.getElementById(button.dataset.copy).textContent.trim().replace(/\s+/g, " ");
      navigator.clipboard.writeText(said).then(function () {
        document.getElementById(button.dataset.says).textContent = button.dataset.done;
      }, function () { button.hidden = true; });
    });
  });
}());
