// npm openai: baseURL is all that is changed.
const assert = require('assert');
const OpenAI = require('openai');

const [base, key] = process.argv.slice(2);
(async () => {
  const client = new OpenAI({baseURL: base + '/v1', apiKey: key, maxRetries: 0});
  const one = await client.moderations.create({input: 'you pathetic clown, shut up'});
  assert(one.results[0].flagged && one.results[0].categories.harassment);
  assert.strictEqual(Object.keys(one.results[0].category_applied_input_types).length, 13);
  const many = await client.moderations.create({input: ['Thank you for the timetable.', 'you pathetic clown, shut up']});
  assert.deepStrictEqual(many.results.map(result => result.flagged), [false, true]);
  const wrong = new OpenAI({baseURL: base + '/v1', apiKey: 'wrong', maxRetries: 0});
  await assert.rejects(wrong.moderations.create({input: 'hm'}), error => error.status === 401 && error.code === 'invalid_api_key');
})().catch(error => { console.error(error); process.exit(1); });
