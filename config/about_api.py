"""What the API description says first. Markdown; the settings read it."""

ABOUT = """\
Work orders of hospital equipment: tickets and their steps, devices, places, people on duty, and the log of all facts.

**Signing in.** `POST /api/v1/auth/token/` with `username` and `password` answers a token for 12 hours; send it as
`Authorization: Token ...`. Accounts with a second factor or with the admin use the browser's session instead. Every
answer holds only what the account may see; what it may not see does not exist (404).

**A ticket from report to closing.** `GET /api/v1/devices/{public_id}/` lists a device's `symptoms`;
`POST /api/v1/tickets/` reports one; then one `POST /api/v1/tickets/{public_id}/{verb}/` for each step: triage, assign,
accept or decline, depart, arrive, start, pause and resume, resolve, confirm or dispute, close, reopen, cancel,
reprioritise. A step that is not possible now answers 409 and a sentence. `.../sla/` explains every due time,
`.../assignment/` why this engineer, `.../timeline/` what happened.

**Safe to repeat.** Send `Idempotency-Key` with a POST: the same key and body give the same answer once more, the same
key with another body is a 409. Send the ticket's `version` as `If-Match` to refuse a step on a stale state.

**Pages** follow `next`; nothing is counted and nothing is skipped while rows arrive. **Errors** are
`application/problem+json` with `type`, `title`, `status`, `detail` and, for fields, `errors`. **Times** are ISO 8601
with their offset. **Following along**: poll `GET /api/v1/events/?after=<seq>` with the last `seq` you read.
The websocket `/ws/desk/?after=<seq>` tells the same facts live, to the pages of this site only: it wants the session
cookie of a browser that is signed in and the site's own `Origin`, and takes no token. Without `after` it begins with what
happens next; an `after` that is no `seq` closes it with 4400.
"""
