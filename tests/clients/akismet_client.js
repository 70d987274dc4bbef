// npm akismet-api 6.0.0: the key stands before the host, which must resolve; *.localhost does here by our own lookup.
const assert = require('assert');
const dns = require('dns');
const {AkismetClient} = require('akismet-api');

const [base, key] = process.argv.slice(2);
const port = new URL(base).port;
const lookup = dns.lookup;
dns.lookup = (host, options, callback) => lookup(/localhost$/.test(host) ? '127.0.0.1' : host, options, callback);

const open = key => new AkismetClient({key, blog: 'https://blog.example', protocol: 'http', host: `akismet.localhost:${port}`});
(async () => {
  const client = open(key);
  assert.strictEqual(await client.verifyKey(), true);
  assert.strictEqual(await open('wrong').verifyKey(), false);
  const rude = {ip: '192.0.2.1', content: 'you pathetic clown, shut up, you disgusting idiot', name: 'Ann'};
  const civil = {...rude, content: 'Thank you for the timetable.'};
  assert.strictEqual(await client.checkSpam(rude), true);
  assert.strictEqual(await client.checkSpam(civil), false);
  assert.strictEqual(await client.checkSpam({...rude, role: 'administrator'}), false);
  await client.submitSpam(rude);
  await client.submitHam(civil);
  await assert.rejects(open('wrong').checkSpam(rude), /Invalid API key/);
})().catch(error => { console.error(error); process.exit(1); });
