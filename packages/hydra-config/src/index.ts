export { HydraConfigError, type HydraConfigErrorCode, isHydraConfigError } from './errors.ts'
export { type TokenBucket, type TokenBucketOptions, tokenBucket } from './token-bucket.ts'
