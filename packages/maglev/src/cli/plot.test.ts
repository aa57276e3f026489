import { expect, test } from 'vitest'
import { plot } from './plot.ts'

async function figure(...args: string[]): Promise<string> {
  return plot.run([
    '--backends',
    '50',
    '--size',
    '5003',
    '--size',
    '10007',
    '--failures',
    '0,2,10',
    '--runs',
    '2',
    ...args,
  ])
}

/** The y of each point of the line with that colour, in pixels from the top. */
function heights(svg: string, color: string): number[] {
  const [, points = ''] = new RegExp(`<polyline class="line ${color}" points="([^"]*)"`).exec(svg) ?? []
  return points.split(' ').map((point) => Number(point.split(',')[1]))
}

test('the figure of collateral moves shows more of them on the smaller table, and none in mode stable', async () => {
  const svg = await figure('collateral')
  const [small, large, stable] = ['c0', 'c1', 'c2'].map((color) => heights(svg, color))
  const bottom = small?.[0] ?? 0
  expect(stable).toEqual([bottom, bottom, bottom])
  expect(small?.[1]).toBeLessThan(bottom)
  expect(small?.[2]).toBeLessThan(large?.[2] ?? 0)
  expect(svg).toContain('classic, 5,003 slots')
  expect(svg).toContain('Collateral moves (% of all keys)')
  expect(svg).toContain('prefers-color-scheme: dark')
})

test('the figure of shares has a largest above and a smallest below an even one', async () => {
  const svg = await figure('share')
  const largest = heights(svg, 'c0')
  const smallest = heights(svg, 'c0 dashed')
  expect(largest).toHaveLength(3)
  for (const [index, height] of largest.entries()) expect(height).toBeLessThanOrEqual(smallest[index] ?? 0)
})

test('the same seed draws the same figure, another one another', async () => {
  expect(await figure('collateral', '--seed', '7')).toBe(await figure('collateral', '--seed', '7'))
  expect(await figure('collateral', '--seed', '7')).not.toBe(await figure('collateral', '--seed', '8'))
})
