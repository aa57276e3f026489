export * from '@loadbearing/stripe-idempotency'
