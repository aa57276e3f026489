import { expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import { update } from '../structured/edit.ts'
import { enumOf, path } from '../structured/field.ts'
import { structured } from '../structured/structured.ts'
import { scalar } from '../value/value.ts'
import { select } from './resolve-all.ts'

const config = structured('App', { color: enumOf('Color', { RED: 1, GREEN: 2 }, 'GREEN'), path: path('x/y') })

function selected(text: string): unknown {
  try {
    const found = select(update(config.value, 'text', scalar(text), { forceAdd: true }), 'text')
    return found?.kind === 'scalar' ? found.value : found?.kind
  } catch (error) {
    return isHydraConfigError(error) ? error.class : error
  }
}

// What OmegaConf 2.3 answers: to Python the member of an enum and a path are no texts.
test.each([
  ['is ${color}', 'is Color.GREEN'],
  ['is ${path}', 'is x/y'],
  ['${oc.env:NOPE,${color}}', 'Color.GREEN'],
  ['${oc.decode:"${color}"}', 'Color.GREEN'],
  ['${texts.${color}}', 'InterpolationResolutionError'],
  ['${texts[${path}]}', 'InterpolationResolutionError'],
  ['${${color}:1}', 'InterpolationResolutionError'],
  ['${oc.decode:${color}}', 'InterpolationResolutionError'],
  ['${oc.select:${path},1}', 'InterpolationResolutionError'],
  ['${oc.create:${color}}', 'InterpolationResolutionError'],
  ['${oc.dict.keys:${color}}', 'InterpolationResolutionError'],
])('%s', (text, answer) => {
  expect(selected(text)).toBe(answer)
})
