// Colours: as the system, light, dark.
const themes = ["system", "light", "dark"];
let theme = 0;

function paint() {
  const dark = themes[theme] === "dark" || (themes[theme] === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
  $("theme").textContent = { system: "◐", light: "☀", dark: "☾" }[themes[theme]];
  $("theme").setAttribute("aria-label", "Colours: " + (theme ? themes[theme] : "as the system"));
  $("theme").title = $("theme").getAttribute("aria-label");
}

// paintWith makes a button change the colours.
function paintWith(button) {
  button.addEventListener("click", () => { theme = (theme + 1) % themes.length; paint(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  paint();
}
