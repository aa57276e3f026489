export {
  HydraConfigError,
  type HydraConfigErrorCode,
  type HydraConfigErrorOptions,
  isHydraConfigError,
} from './errors.ts'
export {
  type ChoiceSweep,
  type Dict,
  type DictKey,
  type Element,
  type Glob,
  type IntervalSweep,
  isList,
  type Override,
  type OverrideType,
  type QuotedString,
  type RangeNumber,
  type RangeSweep,
  type Sweep,
} from './override/override.ts'
export { type ParseOverrideOptions, parseOverride } from './override/parse.ts'
export type { Random } from './ports.ts'
export { pythonFloat } from './value/python-text.ts'
