// Images in the browser: canvases, loading, and downloads.

/** A canvas context of `side` × `side` pixels; `canvas` is made if none is given. */
function squareContext(side, canvas = document.createElement("canvas")) {
  canvas.width = canvas.height = side;
  return canvas.getContext("2d", { willReadFrequently: true });
}

/** Draw `image` on the square: centred, as large as it fits, with its own aspect ratio. */
function drawContained(ctx, image, smooth) {
  const side = ctx.canvas.width;
  const scale = side / Math.max(image.width, image.height);
  const w = Math.round(image.width * scale);
  const h = Math.round(image.height * scale);
  ctx.imageSmoothingEnabled = smooth;
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(image, Math.round((side - w) / 2), Math.round((side - h) / 2), w, h);
}

/** Draw `image` over the whole canvas. */
function drawScaled(ctx, image, smooth = true) {
  ctx.imageSmoothingEnabled = smooth;
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(image, 0, 0, ctx.canvas.width, ctx.canvas.height);
}

/** The URL of a picture, which may be a URL already or a canvas. */
const urlOf = (picture) => (typeof picture === "string" ? picture : picture.toDataURL("image/png"));

/** The image of a URL; a canvas is one already. */
async function loadImage(url) {
  if (typeof url !== "string") return url;
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

/** Download a Blob or a URL as a file. */
function downloadFile(file, name) {
  const href = file instanceof Blob ? URL.createObjectURL(file) : file;
  Object.assign(document.createElement("a"), { href, download: name }).click();
  if (href !== file) setTimeout(() => URL.revokeObjectURL(href), 1000);
}

/** Download a canvas as a PNG file. */
function downloadCanvas(canvas, name) {
  canvas.toBlob((blob) => downloadFile(blob, `${name}.png`));
}
