// The console's LiveView client. The server puts dioxus' interpreter (RawInterpreter, NativeInterpreter) before it in the
// same scope. No eval, no inline handlers: it runs under `script-src 'self'`.
//
// Frames from the server: 1 = edits, 2 = a command as JSON [name, argument]. Anything else is ignored.
const cfg = document.currentScript.dataset; // data-ws, data-prefix, data-build
const html = document.documentElement, dec = new TextDecoder();
let root = document.getElementById("app"), interp = null, ws = null, tries = 0, fresh = true, offline = 0;

class Lv extends NativeInterpreter {
  // NativeInterpreter's own initialize takes over file inputs for a desktop dialog: the base one does not.
  initialize(el) {
    this.liveview = true; this.ipc = window.ipc;
    RawInterpreter.prototype.initialize.call(this, el, (e) => this.handleEvent(e, e.type, true));
  }
  readFiles() {} // file contents never travel on the socket
  // [data-quiet]: what is typed there is nobody's business before it is sent; it may be longer than a frame.
  handleEvent(e, ...rest) { if (!e.target.closest?.("[data-quiet]")) super.handleEvent(e, ...rest); }
}
const open = () => ws && ws.readyState === 1;
window.ipc = { postMessage: (m) => { if (typeof m === "string" && open()) ws.send(m); } };
const here = () => location.pathname + location.search;
const remember = (name, value) => { document.cookie = `${name}=${encodeURIComponent(value)}; Path=${cfg.prefix || "/"}; Max-Age=31536000; SameSite=Lax`; };
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
remember("bc-zone", zone);

// The first move goes at once; those within a moment of it are one: whoever presses "back" five times wants the fifth page.
let moving = 0, moved = -30;
function nav() {
  clearTimeout(moving);
  const go = () => { moved = performance.now(); window.ipc.postMessage(JSON.stringify({ method: "nav", params: here() })); };
  const wait = moved + 30 - performance.now();
  if (wait > 0) moving = setTimeout(go, wait); else go();
}

// A new session draws the whole page. It is swapped in one task (no flash); typed text, focus, scroll and what was
// unfolded stay.
const isCheck = (e) => e.type === "checkbox" || e.type === "radio";
function keep() {
  const typed = [...root.querySelectorAll("input[id],textarea[id],select[id]")]
    .filter((e) => e.type !== "password" && e.type !== "file" && !e.closest("[data-forget]"))
    .filter((e) => (isCheck(e) ? e.checked !== e.defaultChecked : e.tagName === "SELECT" ? [...e.options].some((o) => o.selected !== o.defaultSelected) : e.value !== e.defaultValue))
    .map((e) => [e.id, isCheck(e) ? e.checked : e.value]);
  const unfolded = [...root.querySelectorAll("details[id][open]")].map((e) => e.id);
  const a = document.activeElement, at = a && a.id && typeof a.selectionStart === "number" ? [a.selectionStart, a.selectionEnd] : null;
  return { typed, unfolded, focus: a && a.id, at, scroll: window.scrollY, path: here(), until: Date.now() + 10000 };
}
// What the page draws only once it was read again is put back when it comes: `owed`, for a moment.
let owed = null;
function restore(kept) {
  const late = { ...kept, typed: [], unfolded: [], focus: null };
  for (const [id, v] of kept.typed) {
    const e = document.getElementById(id);
    if (!e) { late.typed.push([id, v]); continue; }
    if ((isCheck(e) ? e.checked : e.value) === v) continue;
    if (isCheck(e)) e.checked = v; else e.value = v;
    e.dispatchEvent(new Event("input", { bubbles: true })); // the new session has to hear what the old one had
  }
  for (const id of kept.unfolded) {
    const e = document.getElementById(id);
    if (e) e.setAttribute("open", ""); else late.unfolded.push(id);
  }
  const e = kept.focus && document.getElementById(kept.focus);
  if (e) { e.focus({ preventScroll: true }); if (kept.at) try { e.setSelectionRange(...kept.at); } catch { /* not a text field */ } }
  else late.focus = kept.focus;
  window.scrollTo(0, kept.scroll);
  late.top = window.scrollY;
  owed = late.typed.length || late.unfolded.length || late.focus ? late : null;
}
function settle() {
  if (owed.path !== here() || Date.now() > owed.until) { owed = null; return; }
  // Whoever goes on meanwhile is left alone.
  if (document.activeElement !== document.body) owed.focus = null;
  if (window.scrollY !== owed.top) owed.scroll = window.scrollY;
  restore(owed);
}
function mount(bytes) {
  const kept = keep(), next = root.cloneNode(false);
  root.replaceWith(next); root = next;
  interp = window.interpreter = new Lv("", true);
  interp.initialize(root);
  interp.run_from_bytes(bytes);
  restore(kept);
  clearTimeout(offline); html.dataset.lv = "on";
}

const commands = {
  push: (p) => { if (p !== here()) history.pushState(null, "", p); },
  replace: (p) => { if (p !== here()) history.replaceState(null, "", p); },
  go: (n) => history.go(n),
  href: (u) => { location.href = u; },
  title: (t) => { document.title = t; },
  focus: (id) => requestAnimationFrame(() => document.getElementById(id)?.focus({ preventScroll: true })),
  reveal: (id) => requestAnimationFrame(() => document.getElementById(id)?.scrollIntoView({ block: "nearest" })),
  hello: (b) => { if (cfg.build !== b) location.reload(); },
};

function connect() {
  const scheme = location.protocol === "https:" ? "wss://" : "ws://";
  const it = ws = new WebSocket(`${scheme}${location.host}${cfg.ws}?path=${encodeURIComponent(here())}&zone=${encodeURIComponent(zone)}`);
  it.binaryType = "arraybuffer"; fresh = true;
  const beat = setInterval(() => it.readyState === 1 && it.send("__ping__"), 25000);
  it.onmessage = ({ data }) => {
    const tag = new Uint8Array(data, 0, 1)[0];
    if (tag === 1) {
      // A failed edit leaves elements that the server does not know: start over with a fresh session.
      try { if (fresh) { mount(data.slice(1)); fresh = false; tries = 0; } else { interp.run_from_bytes(data.slice(1)); if (owed) settle(); } }
      catch (e) { console.error(e); it.onmessage = null; it.close(4000); }
    } else if (tag === 2) {
      const [name, arg] = JSON.parse(dec.decode(new Uint8Array(data, 1)));
      if (Object.hasOwn(commands, name)) commands[name](arg);
    }
  };
  it.onclose = async (e) => {
    clearInterval(beat);
    if (it !== ws) return;
    // The session ended: the page answers with the sign-in. A form that was just posted leads elsewhere by itself.
    if (e.code === 4401) return setTimeout(() => location.reload(), leaving ? 3000 : 0);
    lost();
    // Is it the session, rather than the network? The page itself knows, and whether as many sockets are open as may be.
    let wait = 0;
    if (++tries > 1) {
      const r = await fetch(here(), { redirect: "manual", method: "HEAD" }).catch(() => null);
      if (r && (r.status === 401 || r.type === "opaqueredirect")) return location.reload();
      wait = Math.min(r?.headers.get("retry-after") * 1000 || 0, 300000);
    }
    again = setTimeout(connect, Math.max(wait, Math.min(250 * 2 ** tries, 8000)) * (0.5 + Math.random()));
  };
}
let again = 0, leaving = false;
// A blink is not worth a word: the banner waits a moment.
function lost() {
  if (html.dataset.lv === "off" || offline) return;
  const since = new Date();
  offline = setTimeout(() => {
    offline = 0;
    const c = document.getElementById("offline-since"); if (c) c.textContent = since.toTimeString().slice(0, 5);
    html.dataset.lv = "off";
  }, 1200);
}
document.addEventListener("click", (e) => { if (e.target.closest?.("[data-reconnect]") && !open()) { clearTimeout(again); tries = 0; connect(); } });
addEventListener("online", () => { if (!open()) { clearTimeout(again); tries = 0; connect(); } });

// Internal links: a new entry in the history and one message. A plain <a href> works without the script too.
document.addEventListener("click", (e) => {
  if (e.defaultPrevented || e.button || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
  const a = e.target.closest?.("a[href]");
  if (!a || !root.contains(a) || a.target || a.hasAttribute("download") || a.hasAttribute("data-full") || a.origin !== location.origin) return;
  if (a.pathname !== cfg.prefix && !a.pathname.startsWith(cfg.prefix + "/")) return;
  if (a.hash && a.pathname === location.pathname && a.search === location.search) return; // an anchor on this page
  if (!open()) return; // offline: let the browser load it whole
  e.preventDefault();
  const far = a.pathname !== location.pathname, p = a.pathname + a.search;
  if (p !== here()) history.pushState(null, "", p);
  if (far) window.scrollTo(0, 0);
  nav();
});
addEventListener("popstate", nav);

// Forms without an `action` are the server's components'. The theme changes on the spot; its form is for no script.
document.addEventListener("submit", (e) => {
  const f = e.target;
  if (f.matches("[data-theme-form]")) {
    e.preventDefault();
    const dark = html.dataset.theme ? html.dataset.theme === "night" : matchMedia("(prefers-color-scheme: dark)").matches;
    html.dataset.theme = dark ? "day" : "night"; remember("bc-theme", html.dataset.theme);
  } else if (f.matches("[data-here]")) { // posts where it is, so that the answer leads back here
    const b = f.querySelector("[name=back]"); if (b) b.value = here();
  } else if (f.matches("[data-post]") && open()) { // a file, or much text: by POST; the answer says where to go on
    e.preventDefault(); post(f, e.submitter);
  } else if (root.contains(f) && !f.getAttribute("action")) e.preventDefault();
  else if (f.getAttribute("action")) { leaving = true; setTimeout(() => { leaving = false; }, 3000); }
});
async function post(form, by) {
  if (form.dataset.busy) return;
  form.dataset.busy = "1"; by?.setAttribute("aria-busy", "true");
  const body = new FormData(form); if (by?.name) body.append(by.name, by.value);
  try {
    const r = await fetch(form.action, { method: "POST", body }), to = new URL(r.url);
    if (r.redirected && r.ok && to.origin === location.origin) {
      if (to.pathname + to.search !== here()) history.pushState(null, "", to.pathname + to.search);
      nav();
    } else location.reload();
  } catch { lost(); }
  delete form.dataset.busy; by?.removeAttribute("aria-busy");
}

// <input data-debounce="300">: `input` events are held back until the typing pauses.
document.addEventListener("input", (e) => {
  const t = e.target, ms = t.dataset?.debounce;
  if (!ms || e.lvHeld) return;
  e.stopImmediatePropagation(); clearTimeout(t.lvTimer);
  t.lvTimer = setTimeout(() => { const n = new Event("input", { bubbles: true }); n.lvHeld = true; t.dispatchEvent(n); }, +ms);
}, true);

connect();
