import { lazy } from '../../lazy.ts'

// Code points that differ in case only and that JavaScript's conversions do not lead to from each other, as in Unicode's CaseFolding.txt.
const orbitTexts =
  'Kk\u212a Ss\u017f \u00b5\u039c\u03bc \u00c5\u00e5\u212b \u00df\u1e9e \u01c4\u01c5\u01c6 \u01c7\u01c8\u01c9 \u01ca\u01cb\u01cc \u01f1\u01f2\u01f3 ' +
  '\u0345\u0399\u03b9\u1fbe \u0392\u03b2\u03d0 \u0395\u03b5\u03f5 \u0398\u03b8\u03d1\u03f4 \u039a\u03ba\u03f0 \u03a0\u03c0\u03d6 ' +
  '\u03a1\u03c1\u03f1 \u03a3\u03c2\u03c3 \u03a6\u03c6\u03d5 \u03a9\u03c9\u2126 \u0412\u0432\u1c80 \u0414\u0434\u1c81 \u041e\u043e\u1c82 ' +
  '\u0421\u0441\u1c83 \u0422\u0442\u1c84\u1c85 \u042a\u044a\u1c86 \u0462\u0463\u1c87 \u1c88\ua64a\ua64b \u1e60\u1e61\u1e9b ' +
  '\u1fb3\u1fbc \u1fc3\u1fcc \u1ff3\u1ffc \u0131'

const orbits = lazy(
  (): ReadonlyMap<number, readonly number[]> =>
    new Map([
      ...orbitTexts.split(' ').flatMap((text) => {
        const orbit = Array.from(text, (character) => character.codePointAt(0) ?? 0)
        return orbit.map((codePoint): [number, readonly number[]] => [codePoint, orbit])
      }),
      // The Greek letters with an iota, whose capitals lie eight further.
      ...[0x1f80, 0x1f90, 0x1fa0].flatMap((start) =>
        Array.from({ length: 16 }, (_, index): [number, readonly number[]] => {
          const codePoint = start + index
          return [codePoint, [codePoint, codePoint ^ 8]]
        }),
      ),
    ]),
)

/** All code points that differ from this one in case only, itself among them. */
export function foldOrbit(codePoint: number): readonly number[] {
  const known = orbits().get(codePoint)
  if (known !== undefined) return known
  const lower = single(String.fromCodePoint(codePoint).toLowerCase())
  const upper = single(String.fromCodePoint(codePoint).toUpperCase())
  return [codePoint, lower ?? codePoint, upper ?? codePoint]
}

function single(text: string): number | undefined {
  const codePoint = text.codePointAt(0)
  return codePoint !== undefined && String.fromCodePoint(codePoint) === text ? codePoint : undefined
}
