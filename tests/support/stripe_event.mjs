// One event as Stripe would sign it, made without weir: docs.stripe.com/webhooks, "verify manually".
import {createHmac} from 'node:crypto';

// `padding`: bytes that its object has more.
export function stripeEvent(secret, id, {type = 'invoice.paid', at_ms = Date.now(), padding = 0} = {}) {
  const object = padding > 0 ? {note: 'x'.repeat(padding)} : {};
  const body = JSON.stringify({id, object: 'event', type, data: {object}});
  const at = Math.floor(at_ms / 1000);
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return {body, headers: {'content-type': 'application/json', 'stripe-signature': `t=${at},v1=${signature}`}};
}
