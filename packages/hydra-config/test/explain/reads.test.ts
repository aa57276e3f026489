import { compose, fromMemory, type Provenance } from '@loadbearing/hydra-config'
import { array, assert, asyncProperty, nat, record } from 'fast-check'
import { expect, test } from 'vitest'

/** What an interpolation is written with: an earlier key, absolute or relative, or a variable. */
type Part = { readonly key: number; readonly style: number }

const keys = array(array(record<Part>({ key: nat(), style: nat(3) }), { maxLength: 4 }), {
  minLength: 1,
  maxLength: 12,
})

test('each interpolation tells what it read, in order, down to the values and variables', async () => {
  await assert(
    asyncProperty(keys, async (all) => {
      // The writer knows what each key reads: only earlier keys, so that there is no circle.
      const reads = all.map((parts, index) =>
        parts.map(({ key, style }) => (style === 3 || index === 0 ? `$V${key % 5}` : `n.k${key % index}`)),
      )
      const lines = all.map((parts, index) => {
        const texts = parts.map(({ key, style }) => {
          if (style === 3 || index === 0) return `\${oc.env:V${key % 5}}`
          return style === 0
            ? `\${n.k${key % index}}`
            : style === 1
              ? `\${.k${key % index}}`
              : `\${n[k${key % index}]}`
        })
        return `  k${index}: ${texts.length === 0 ? `v${index}` : texts.join('-')}`
      })
      const composition = await compose({
        source: fromMemory({ 'config.yaml': `n:\n${lines.join('\n')}\n` }),
        config: 'config',
        environment: (name) => `<${name}>`,
      })
      for (const [index, expected] of reads.entries())
        check(composition.explain(`n.k${index}`), index, expected)

      function check(found: Provenance, index: number, expected: readonly string[]): void {
        expect(found).toMatchObject({
          path: `n.k${index}`,
          origin: { line: index + 2, column: String(index).length + 6 },
        })
        expect(found.interpolation?.expr.split('-').length ?? 0).toBe(expected.length)
        const traced = found.interpolation?.reads ?? []
        expect(traced.map(({ path, origin }) => (origin.kind === 'env' ? `$${origin.name}` : path))).toEqual(
          expected,
        )
        for (const read of traced) {
          if (read.origin.kind === 'env') expect(read.value).toBe(`<${read.origin.name}>`)
          else expect(read.origin).toMatchObject({ line: Number(read.path.slice('n.k'.length)) + 2 })
        }
      }
    }),
    { numRuns: 200 },
  )
})
