export { __Name__Error, type __Name__ErrorCode, is__Name__Error } from './errors.ts'
export { type TokenBucket, type TokenBucketOptions, tokenBucket } from './token-bucket.ts'
