import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { transactionOf } from '@loadbearing/stripe-idempotency'
import { idempotency as forExpress } from '@loadbearing/stripe-idempotency/express'
import { idempotency as forHono } from '@loadbearing/stripe-idempotency/hono'
import express from 'express'
import { Hono } from 'hono'
import { type Charges, postgresCharges, sqliteCharges } from '../charges.ts'

// `node transaction-server.ts express|hono postgres|sqlite <url or path>`: writes a row for each charge, and dies where the
// header `x-dies` says: before the commit, or after it with nothing sent.

const [framework, kind, place = ''] = process.argv.slice(2)

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

function onExpress<Transaction>({ store, insert }: Charges<Transaction>): RequestListener {
  const app = express()
  app.use((request, response, next) => {
    if (request.get('x-dies') === 'after-commit') response.writeHead = () => (die(), response)
    next()
  })
  app.use(forExpress({ store, mode: 'stripe-v1', scope: () => 'acct_1', transaction: true }))
  app.post('/charges', async (request, response) => {
    await insert(transactionOf(request, store))
    if (request.get('x-dies') === 'before-commit') die()
    response.status(201).json({ charged: true })
  })
  return (request, response) => void app(request, response)
}

function onHono<Transaction>({ store, insert }: Charges<Transaction>): RequestListener {
  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    if (c.req.header('x-dies') === 'after-commit') die()
  })
  app.use(forHono({ store, mode: 'stripe-v1', scope: () => 'acct_1', transaction: true }))
  app.post('/charges', async (c) => {
    await insert(transactionOf(c, store))
    if (c.req.header('x-dies') === 'before-commit') die()
    return c.json({ charged: true }, 201)
  })
  const listener = getRequestListener(app.fetch)
  return (request, response) => void listener(request, response)
}

function listenerOn<Transaction>(charges: Charges<Transaction>): RequestListener {
  return framework === 'express' ? onExpress(charges) : onHono(charges)
}

const listener =
  kind === 'postgres' ? listenerOn(await postgresCharges(place)) : listenerOn(sqliteCharges(place))
const server = createServer(listener).listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(`listening on ${port}`)
})
