import { encode, type Source } from './prepare.ts';
import { make } from './view/dom.ts';

/* Drawn faces for a first comparison without photographs: two pictures of one person, and one of another. */

interface Person {
  skin: string;
  shade: string;
  hair: string;
  eyes: string;
  /** Width of the face as a share of its height. */
  width: number;
  /** Length of the hair as a share of the height of the face. */
  hairLength: number;
  /** Height of the eyes' openings. */
  eyeHeight: number;
}

const ADA: Person = {
  skin: '#e8bd9d',
  shade: '#bd8566',
  hair: '#4a2f22',
  eyes: '#3d5a45',
  width: 0.74,
  hairLength: 1,
  eyeHeight: 0.055,
};
const BEN: Person = {
  skin: '#9a6a4a',
  shade: '#6b4228',
  hair: '#17120f',
  eyes: '#2b1a10',
  width: 0.82,
  hairLength: 0.34,
  eyeHeight: 0.042,
};

const SIDE = 480;

/** In the order in which they are compared: the first with the others. */
export async function samplePictures(): Promise<Source[]> {
  const pictures: [string, Person, string, string, number][] = [
    ['ada-1.jpg', ADA, '#cfdbe6', '#35506e', 0.92],
    ['ada-2.jpg', ADA, '#e9e0cf', '#7a3b3b', 0.8],
    ['ben-1.jpg', BEN, '#d5e0d2', '#44484f', 0.92],
  ];
  return Promise.all(
    pictures.map(async ([name, person, wall, clothes, quality]) => ({
      blob: await encode(portrait(person, wall, clothes), 'image/jpeg', quality),
      name,
      made: true,
    })),
  );
}

function portrait(person: Person, wall: string, clothes: string): HTMLCanvasElement {
  const canvas = make('canvas', { width: SIDE, height: SIDE });
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  // The unit is the height of the face, the origin its middle.
  context.fillStyle = wall;
  context.fillRect(0, 0, SIDE, SIDE);
  context.translate(SIDE / 2, SIDE * 0.49);
  context.scale(SIDE * 0.56, SIDE * 0.56);
  const ellipse = (x: number, y: number, rx: number, ry: number, fill: string | CanvasGradient) => {
    context.fillStyle = fill;
    context.beginPath();
    context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
    context.fill();
  };
  const { skin, shade, hair, eyes, width, hairLength, eyeHeight } = person;
  const half = width / 2;
  // Hair behind, neck, clothes.
  ellipse(0, -0.14 + hairLength * 0.18, half * 1.22, 0.4 + hairLength * 0.25, hair);
  context.fillStyle = shade;
  context.fillRect(-half * 0.42, 0.3, half * 0.84, 0.4);
  ellipse(0, 1.02, half * 2.1, 0.44, clothes);
  // Face, lit from above.
  const light = context.createRadialGradient(-0.08, -0.18, 0.05, 0, 0, 0.62);
  light.addColorStop(0, skin);
  light.addColorStop(0.65, skin);
  light.addColorStop(1, shade);
  ellipse(-half * 0.98, 0.02, 0.06, 0.1, shade);
  ellipse(half * 0.98, 0.02, 0.06, 0.1, shade);
  ellipse(0, 0, half, 0.5, light);
  // Fringe.
  context.save();
  context.beginPath();
  context.ellipse(0, 0, half, 0.5, 0, 0, 2 * Math.PI);
  context.clip();
  ellipse(0.1, -0.5, half * 1.3, 0.24, hair);
  context.restore();
  for (const side of [-1, 1]) {
    const x = side * half * 0.45;
    ellipse(x, -0.06, half * 0.26, eyeHeight * 1.7, shade);
    ellipse(x, -0.055, half * 0.22, eyeHeight, '#f6f1ea');
    ellipse(x, -0.055, eyeHeight * 0.95, eyeHeight * 0.95, eyes);
    ellipse(x, -0.055, eyeHeight * 0.45, eyeHeight * 0.45, '#100c0a');
    ellipse(x - 0.01, -0.07, eyeHeight * 0.2, eyeHeight * 0.2, '#fff');
    ellipse(x, -0.17, half * 0.3, 0.016, hair);
  }
  // Nose and mouth.
  ellipse(0, 0.1, 0.075, 0.05, shade);
  ellipse(0, 0.075, 0.05, 0.055, skin);
  ellipse(0, 0.26, half * 0.36, 0.045, '#a8524c');
  context.strokeStyle = '#6d2b2a';
  context.lineWidth = 0.012;
  context.beginPath();
  context.moveTo(-half * 0.34, 0.252);
  context.quadraticCurveTo(0, 0.285, half * 0.34, 0.252);
  context.stroke();
  return canvas;
}
