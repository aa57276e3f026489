import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

// Their types are those of the newer ones here; test/types holds their own to what a store is made of.
export const ioredis5: typeof import('ioredis') = require('ioredis5')
export const redis5: typeof import('redis') = require('redis5')
