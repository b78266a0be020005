// The official OpenAI SDK for Node against a running gateway.
import OpenAI from 'openai'
import { PIXEL, TEXT, check, checkErrors, done, orders } from './common.mjs'

const { base, key, model } = orders
const client = (apiKey = key) => new OpenAI({ baseURL: base + '/v1', apiKey, maxRetries: 0, timeout: 30_000 })
const c = client()
const messages = [{ role: 'user', content: 'hi' }]
const weather = {
  name: 'get_weather',
  description: 'The weather in a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}
const tools = [{ type: 'function', function: weather }]

const chat = await c.chat.completions.create({ model, messages })
check('chat', chat.choices[0].message.content, TEXT)
check('chat usage', [chat.usage.prompt_tokens, chat.usage.completion_tokens], [12, 7])

let text = ''
let usages = 0
for await (const chunk of await c.chat.completions.create({ model, messages, stream: true })) {
  text += chunk.choices[0].delta.content ?? ''
  usages += chunk.usage ? 1 : 0
}
check('stream', text, TEXT)
check('stream usage not asked for', usages, 0)

let last
const asked = { model, messages, stream: true, stream_options: { include_usage: true } }
for await (const chunk of await c.chat.completions.create(asked)) last = chunk
check('stream with usage', [last.choices, last.usage.total_tokens], [[], 19])

const call = (await c.chat.completions.create({ model, messages, tools })).choices[0].message
check('tool', call.tool_calls[0].function.arguments, '{"city":"Paris"}')
const turn = [...messages, call, { role: 'tool', tool_call_id: call.tool_calls[0].id, content: 'sunny' }]
const after = await c.chat.completions.create({ model, messages: turn, tools })
check('tool result', after.choices[0].message.content, TEXT)
const streamed = await c.chat.completions.stream({ model, messages, tools }).finalChatCompletion()
check('tool streamed', streamed.choices[0].message.tool_calls[0].function.arguments, '{"city":"Paris"}')

const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,' + PIXEL } }
const seen = await c.chat.completions.create({
  model,
  messages: [{ role: 'user', content: [{ type: 'text', text: 'what?' }, picture] }],
})
check('image input', seen.choices[0].message.content, TEXT)

const embedding = await c.embeddings.create({ model: 'text-embedding-3-small', input: 'hi' })
check('embedding', Array.from(embedding.data[0].embedding), [0.5, -1])

const whole = await c.responses.create({ model, input: 'hi' })
check('responses', [whole.output_text, whole.usage.output_tokens], [TEXT, 7])
let said = ''
let end
for await (const event of await c.responses.create({ model, input: 'hi', stream: true })) {
  if (event.type === 'response.output_text.delta') said += event.delta
  end = event.type
}
check('responses streamed', [said, end], [TEXT, 'response.completed'])

const image = await c.images.generate({ model: 'gpt-image-1', prompt: 'a pixel' })
check('image', image.data[0].b64_json, 'iVBORw0KGgo=')

if (orders.listed.length > 0) {
  const names = new Set()
  for await (const one of c.models.list()) names.add(one.id)
  check('models', orders.listed.filter((name) => !names.has(name)), [])
}

await checkErrors(
  {
    400: OpenAI.BadRequestError,
    401: OpenAI.AuthenticationError,
    402: OpenAI.APIError,
    403: OpenAI.PermissionDeniedError,
    404: OpenAI.NotFoundError,
    429: OpenAI.RateLimitError,
    500: OpenAI.InternalServerError,
    502: OpenAI.InternalServerError,
  },
  (apiKey, asked) => client(apiKey).chat.completions.create({ model: asked, messages }),
)
done()
