// The keys to which a secret is sealed inside the portal's own seal. Their private halves lie in this browser's IndexedDB
// and no script can read them, this one neither: it asks the browser to use them. The other side is portal/secrets/browser.py.

const DATABASE = "gatehouse";
const STORE = "browser-keys";
const CURVE = { name: "ECDH", namedCurve: "P-256" };
const INFO = new TextEncoder().encode("gatehouse browser v1");
// Longer than any secret waits.
const KEPT_MS = 8 * 24 * 60 * 60 * 1000;

const answered = (asked) =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

async function store(mode) {
  const asked = indexedDB.open(DATABASE, 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "name" });
  return (await answered(asked)).transaction(STORE, mode).objectStore(STORE);
}

function text(bytes) {
  const letters = btoa(String.fromCharCode(...bytes));
  return letters.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function bytes(text) {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

async function forgetOld() {
  const keys = await store("readwrite");
  const old = (await answered(keys.getAll())).filter((key) => key.madeAt < Date.now() - KEPT_MS);
  for (const key of old) keys.delete(key.name);
}

// Makes a key, keeps it, and gives its public half as text, which is also its name.
export async function make() {
  await forgetOld();
  const pair = await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
  const name = text(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  const keys = await store("readwrite");
  await answered(keys.add({ name, privateKey: pair.privateKey, madeAt: Date.now() }));
  return name;
}

// The private half, or nothing where another browser made it.
export async function find(name) {
  const key = await answered((await store("readonly")).get(name));
  return key?.privateKey;
}

export async function forget(name) {
  await answered((await store("readwrite")).delete(name));
}

// What was sealed to the key, as text; fails where it was changed or belongs elsewhere.
export async function unseal(name, sealed, bound) {
  const sender = bytes(sealed.key);
  const peer = await crypto.subtle.importKey("raw", sender, CURVE, false, []);
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: peer }, await find(name), 256);
  const material = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array([...sender, ...bytes(name)]), info: INFO };
  const key = await crypto.subtle.deriveKey(derivation, material, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
  const opening = { name: "AES-GCM", iv: bytes(sealed.nonce), additionalData: new TextEncoder().encode(bound) };
  return new TextDecoder().decode(await crypto.subtle.decrypt(opening, key, bytes(sealed.ciphertext)));
}
