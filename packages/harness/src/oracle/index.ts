export {
  type Comparison,
  type ComparisonReport,
  compareWithOracle,
  type Difference,
  type KnownDifference,
} from './compare.ts'
export { type Oracle, type OracleOptions, startOracle } from './oracle.ts'
export { formatComparison } from './report.ts'
