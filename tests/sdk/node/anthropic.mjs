// The official Anthropic SDK for Node against a running gateway.
import Anthropic from '@anthropic-ai/sdk'
import { PIXEL, TEXT, check, checkErrors, done, orders } from './common.mjs'

const { base, key, model } = orders
const client = (apiKey = key) => new Anthropic({ baseURL: base, apiKey, maxRetries: 0, timeout: 30_000 })
const c = client()
const messages = [{ role: 'user', content: 'hi' }]
const plain = { model, max_tokens: 64, messages }
const tools = [
  {
    name: 'get_weather',
    description: 'The weather in a city',
    input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
]

const message = await c.messages.create(plain)
check('message', message.content[0].text, TEXT)
check('usage', [message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens], [8, 4, 7])

const final = await c.messages.stream(plain).finalMessage()
check('stream', [final.content[0].text, final.stop_reason, final.usage.output_tokens], [TEXT, 'end_turn', 7])
const kinds = []
for await (const event of await c.messages.create({ ...plain, stream: true })) kinds.push(event.type)
check('raw stream', [kinds[0], kinds.at(-1)], ['message_start', 'message_stop'])

const call = await c.messages.create({ ...plain, tools })
check('tool', call.content[0].input, { city: 'Paris' })
const result = { type: 'tool_result', tool_use_id: call.content[0].id, content: 'sunny' }
const turn = [...messages, { role: 'assistant', content: call.content }, { role: 'user', content: [result] }]
check('tool result', (await c.messages.create({ ...plain, messages: turn, tools })).content[0].text, TEXT)
check('tool streamed', (await c.messages.stream({ ...plain, tools }).finalMessage()).content[0].input, { city: 'Paris' })

const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } }
const seen = await c.messages.create({ ...plain, messages: [{ role: 'user', content: [picture] }] })
check('image input', seen.content[0].text, TEXT)
check('count', (await c.messages.countTokens({ model, messages })).input_tokens, 12)

if (orders.listed.length > 0) {
  const names = new Set()
  for await (const one of c.models.list()) names.add(one.id)
  check('models', orders.listed.filter((name) => !names.has(name)), [])
}

await checkErrors(
  {
    400: Anthropic.BadRequestError,
    401: Anthropic.AuthenticationError,
    402: Anthropic.APIError,
    403: Anthropic.PermissionDeniedError,
    404: Anthropic.NotFoundError,
    429: Anthropic.RateLimitError,
    500: Anthropic.InternalServerError,
    502: Anthropic.InternalServerError,
  },
  (apiKey, asked) => client(apiKey).messages.create({ ...plain, model: asked }),
)
done()
