// What the scanner sees, small and as in a mirror, and what would help it.

let newest = 0;

export function drawScanner(seen, words) {
  const hint = document.getElementById("hint");
  const said = seen.words ? words(seen.words) : null;
  hint.hidden = !said;
  const text = said ? `${said.what} ${said.next}` : "";
  if (hint.textContent !== text) hint.textContent = text;
  document.body.classList.toggle("sees", seen.picture !== "");
  if (seen.picture) drawPicture(seen.picture);
}

async function drawPicture(picture) {
  const number = (newest += 1);
  const bytes = Uint8Array.from(atob(picture), (each) => each.charCodeAt(0));
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
  } catch {
    return; // half a picture: the next one comes at once
  }
  const canvas = document.querySelector("canvas.preview");
  if (canvas && number === newest) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    const brush = canvas.getContext("2d");
    brush.setTransform(-1, 0, 0, 1, bitmap.width, 0);
    brush.drawImage(bitmap, 0, 0);
  }
  bitmap.close();
}
