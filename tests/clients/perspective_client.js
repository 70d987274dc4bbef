// npm perspective-api-client 3.1.0: its address is a constant, so an interceptor of its own axios sends it here.
const assert = require('assert');
const axios = require('axios');
const Perspective = require('perspective-api-client');

const [base, key] = process.argv.slice(2);
axios.interceptors.request.use(config => {
  config.url = config.url.replace('https://commentanalyzer.googleapis.com', base);
  return config;
});
(async () => {
  const client = new Perspective({apiKey: key});
  const text = '<p>you pathetic clown, shut up 😀</p>';
  const answer = await client.analyze(text, {attributes: ['toxicity', 'insult', 'spam']});
  assert(answer.attributeScores.TOXICITY.summaryScore.value > 0.5);
  // The client takes the markup out itself; its string counts as ours do.
  assert.strictEqual(answer.attributeScores.TOXICITY.spanScores[0].end, 'you pathetic clown, shut up 😀'.length);
  assert.deepStrictEqual(Object.keys(answer.attributeScores), ['TOXICITY', 'INSULT']);
  assert.deepStrictEqual(answer.polemic.unsupported, ['SPAM']);
  const none = await client.analyze({comment: {text: 'Thank you.'}, requestedAttributes: {TOXICITY: {scoreThreshold: 1}}});
  assert.deepStrictEqual(none.attributeScores, {});
  const is = message => error => error instanceof Perspective.ResponseError && error.message === message;
  await assert.rejects(client.analyze('hm', {attributes: ['nope']}), is('Unknown requested attribute: NOPE'));
  await assert.rejects(new Perspective({apiKey: 'wrong'}).analyze('hm'), is('API key not valid. Please pass a valid API key.'));
  // On an empty text the client rejects, and still posts an empty body.
  await assert.rejects(client.analyze(''), Perspective.TextEmptyError);
  await new Promise(resolve => setTimeout(resolve, 200));
})().catch(error => { console.error(error); process.exit(1); });
