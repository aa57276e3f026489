import { serveDesk } from './serve-desk.ts'
import { settling } from './settling.ts'

// A worker, a process of its own.

serveDesk((start) => settling(start))
