// Similarity transforms between pictures, from their five landmarks. No page, no canvas.

/** Where the five points lie in a picture of width 1: eyes, nose, mouth corners. */
export const TEMPLATE = [
  [0.34, 0.46],
  [0.66, 0.46],
  [0.5, 0.64],
  [0.37, 0.81],
  [0.63, 0.81],
];

/**
 * Least-squares similarity that takes `from` to `to`: x' = a x - b y + tx, y' = b x + a y + ty.
 * @returns {{a: number, b: number, tx: number, ty: number}}
 */
export function similarity(from, to) {
  const middle = (points, axis) => points.reduce((sum, p) => sum + p[axis], 0) / points.length;
  const [fx, fy, gx, gy] = [middle(from, 0), middle(from, 1), middle(to, 0), middle(to, 1)];
  let [dot, cross, square] = [0, 0, 0];
  from.forEach(([x, y], i) => {
    const [u, v, p, q] = [x - fx, y - fy, to[i][0] - gx, to[i][1] - gy];
    dot += u * p + v * q;
    cross += u * q - v * p;
    square += u * u + v * v;
  });
  const [a, b] = [dot / square, cross / square];
  return { a, b, tx: gx - a * fx + b * fy, ty: gy - b * fx - a * fy };
}

/** The whole picture, as large as it goes, in a pane of the given size. */
export function fitted(width, height, paneWidth, paneHeight) {
  const a = Math.min(paneWidth / width, paneHeight / height);
  return { a, b: 0, tx: (paneWidth - a * width) / 2, ty: (paneHeight - a * height) / 2 };
}

/** Landmarks onto the template, which is as wide as the pane. */
export function aligned(points, paneWidth) {
  return similarity(points, TEMPLATE.map(([x, y]) => [x * paneWidth, y * paneWidth]));
}
