"""The HTTP API of a running desk: OpenAPI, health, readiness, and the verbs of execution.

Errors are problem details (RFC 9457) with the command line's exit status; what a caller sent is never
repeated in them. Amounts and prices are decimal strings as the journal has them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote

from fastapi import FastAPI, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from headframe import __version__
from headframe.codec import to_json
from headframe.desk import approvals, audit, controls, executions, users
from headframe.desk.office import Office
from headframe.desk.ports import Broken, Declined, Invalid, NotFound, Stopped
from headframe.units import Wrong, iso
from headframe.web.process import DeskProcess, allowed
from headframe.web.strict import LARGEST_BODY, body_of, only, spoken_of
from headframe.wiring import open_office

R = TypeVar("R")
Json = dict[str, Any]
_STATUS = {1: 500, 2: 422, 3: 404, 4: 403, 5: 503, 6: 409, 7: 409}
_Id = Annotated[str, Path(max_length=80)]
_Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
_Wait = Annotated[int, Query(ge=0, le=600, description="Seconds to wait for the outcome.")]


_Venue = Annotated[
    str | None,
    Query(max_length=80, description="The venue or its order book; as planned where absent."),
]


class _Caller:
    """Who is calling: by a token where the workspace has users, else by the name given."""

    def __init__(self, process: DeskProcess, request: Request) -> None:
        header = request.headers.get("authorization", "")
        scheme, _, token = header.partition(" ")
        self.token = token.strip() if scheme.lower() == "bearer" and token else None
        given = unquote(request.headers.get("x-headframe-user", ""))
        self.process = process
        state = process.office.state()
        if state.users:
            if self.token is None:
                raise _Unsigned("this workspace has users: send your token as a bearer token")
            try:
                self.name = users.person_of(state, self.token, process.office.now()).name
            except Declined as error:
                raise _Unsigned(str(error)) from error
        else:
            self.name = given or process.office.user

    def may(self, action: users.Action) -> Office:
        """The desk with the caller at it, or Declined."""
        return allowed(self.process, action, self.name, self.token)

    async def apart(self, work: Callable[[Office], R]) -> R:
        """Do work that takes long in a thread, at a desk of the caller's own."""
        process = self.process

        def done() -> R:
            office = open_office(process.folder, user=self.name, database=process.database)
            try:
                office.token = self.token
                return work(office)
            finally:
                office.journal.close()

        return await asyncio.to_thread(done)


class _Unsigned(Stopped):
    """Who is calling is not known."""

    status = 4


def application(process: DeskProcess) -> FastAPI:
    """The API of one running desk."""
    app = FastAPI(
        title="Headframe desk",
        version=__version__,
        description="Execution of hedges under a signed mandate. Every action that trades takes an "
        "Idempotency-Key.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    _errors(app)
    _health(app, process)
    _reading(app, process)
    _books(app, process)
    _acting(app, process)
    _voice(app, process)
    return app


# ---- errors -----------------------------------------------------------------
def problem(status: int, detail: str, exit_status: int = 1) -> JSONResponse:
    """A problem detail; a clause of the mandate stands in it by name."""
    clause = next((w.strip(":;,") for w in detail.split() if w.startswith("M-")), None)
    body: Json = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail[:1_000].encode("utf-8", "replace").decode(),
        "exit": exit_status,
    }
    if clause is not None:
        body["clause"] = clause
    return JSONResponse(body, status, media_type="application/problem+json")


_TITLES = {
    401: "Who is calling is not known",
    403: "Refused",
    404: "Not found",
    405: "Not with this method",
    409: "Not now",
    413: "Too large",
    422: "Cannot be used",
    503: "Not ready",
}


def _errors(app: FastAPI) -> None:
    async def stopped(_: Request, error: Exception) -> Response:
        assert isinstance(error, Stopped)
        status = 401 if isinstance(error, _Unsigned) else _STATUS[error.status]
        return problem(status, str(error), error.status)

    async def broken(_: Request, error: Exception) -> Response:
        return problem(503, str(error), 5)

    async def wrong(_: Request, error: Exception) -> Response:
        return problem(422, str(error), 2)

    async def unfit(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        where = error.errors()[0]["loc"] if error.errors() else ("request",)
        return problem(422, f"{' '.join(str(one) for one in where[:2])[:80]} cannot be used", 2)

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, _TITLES.get(error.status_code, "refused"), 2)

    app.add_exception_handler(Stopped, stopped)
    app.add_exception_handler(Broken, broken)
    app.add_exception_handler(Wrong, wrong)
    app.add_exception_handler(RequestValidationError, unfit)
    app.add_exception_handler(HTTPException, http)

    app.middleware("http")(_guarded)


async def _guarded(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    """Programs on this machine alone, and bodies of a bearable size."""
    host = request.headers.get("host", "").rsplit(":", 1)[0]
    if host not in {"127.0.0.1", "localhost"} or "origin" in request.headers:
        return problem(403, "the desk answers programs on this machine, not pages in a browser", 4)
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and int(length[:12]) <= LARGEST_BODY):
        return problem(413, f"a body has at most {LARGEST_BODY} bytes", 2)
    return await call(request)


async def _body(request: Request, **kinds: type) -> Json:
    text = b""
    async for part in request.stream():
        text += part
        if len(text) > LARGEST_BODY:
            raise Invalid(f"a body has at most {LARGEST_BODY} bytes")
    return only(body_of(text), **kinds)


# ---- health -----------------------------------------------------------------
def _health(app: FastAPI, process: DeskProcess) -> None:
    @app.get("/healthz", summary="Whether the process is alive")
    async def healthz() -> Json:
        return {"status": "alive", "version": __version__}

    @app.get("/readyz", summary="Whether trading verbs are taken", responses={503: {}})
    async def readyz() -> Response:
        found = process.readiness
        halted = process.office.state().halted
        body = {
            "ready": found.ready,
            "connected": found.connected,
            "reconciled": found.reconciled,
            "chain": found.chain,
            "unknown": process.unknown(),
            "halted": None if halted is None else halted.reason,
            "trouble": found.trouble,
            "closing": found.closing,
        }
        return JSONResponse(body, 200 if found.ready else 503)


# ---- reading ----------------------------------------------------------------
def _reading(app: FastAPI, process: DeskProcess) -> None:
    def caller(request: Request) -> Office:
        return _Caller(process, request).may(users.Action.READ)

    @app.get("/api/v1/desk", summary="The workspace: mode, clock, head of the journal")
    async def desk(request: Request) -> Json:
        office = caller(request)
        state = office.state()
        return {
            "name": state.name,
            "mode": state.mode,
            "clock": iso(office.now()),
            "head": str(state.head),
            "halted": None if state.halted is None else to_json(state.halted),
            "mandate_sha256": state.mandate_sha256 or None,
        }

    @app.get("/api/v1/proposals", summary="Proposals, newest last")
    async def proposals(request: Request) -> Json:
        state = caller(request).state()
        return {
            "proposals": [
                {
                    "id": one.id,
                    "hedge": str(one.kind),
                    "expiry": iso(one.expiry),
                    "envelope": to_json(one.envelope),
                    "preparer": one.preparer,
                    "approved_by": approval.approver
                    if (approval := state.approvals.get(one.id)) is not None
                    else None,
                    "dealt": state.traded(one.id),
                }
                for one in state.proposals.values()
            ]
        }

    @app.get("/api/v1/rfqs", summary="Requests for quotes, newest last")
    async def rfqs(request: Request) -> Json:
        state = caller(request).state()
        return {"rfqs": [executions.shown(state, one) for one in state.rfqs]}

    @app.get("/api/v1/rfqs/{rfq}", summary="One request with its ladder")
    async def rfq(request: Request, rfq: _Id) -> Json:
        state = caller(request).state()
        if rfq not in state.rfqs:
            raise NotFound("there is no such request")
        return executions.shown(state, rfq)


def _books(app: FastAPI, process: DeskProcess) -> None:
    @app.get("/api/v1/trades", summary="Trades, oldest first")
    async def trades(request: Request) -> Json:
        state = _Caller(process, request).may(users.Action.READ).state()
        return {"trades": [to_json(one) for one in state.trades.values()]}

    @app.get("/api/v1/contracts", summary="Contracts on a schedule, oldest first")
    async def contracts(request: Request) -> Json:
        state = _Caller(process, request).may(users.Action.READ).state()
        rows = [to_json(one) | {"stage": one.stage} for one in state.contracts.values()]
        return {"contracts": rows}

    @app.get("/api/v1/audit", summary="Whether the journal holds and the books balance")
    async def verify(request: Request) -> Json:
        who = _Caller(process, request)
        who.may(users.Action.READ)
        found = await who.apart(audit.verify)
        return {"sound": found.sound, "anchor": str(found.head), "faults": len(found.faults)}


# ---- acting -----------------------------------------------------------------
def _acting(app: FastAPI, process: DeskProcess) -> None:
    @app.post("/api/v1/proposals/{proposal}/rfq", summary="Ask for quotes", status_code=202)
    async def ask(
        request: Request,
        response: Response,
        proposal: _Id,
        key: _Key = None,
        wait: _Wait = 0,
        venue: _Venue = None,
    ) -> Json:
        who = _Caller(process, request)
        office = who.may(users.Action.TRADE)
        await _body(request)
        named = process.key_of(key, "rfq", proposal, who.name, *(filter(None, [venue])))
        made = await process.ask(proposal, who.name, who.token, named, venue)
        await process.outcome(made, wait)
        state = office.state()
        found = executions.shown(state, executions.latest(state, made))
        if wait and found["state"] not in {"opening", "open", "awarding"}:
            response.status_code = 200
        return found

    @app.post("/api/v1/proposals/{proposal}/approve", summary="Approve a proposal's envelope")
    async def approve(request: Request, proposal: _Id) -> Json:
        who = _Caller(process, request)
        who.may(users.Action.APPROVE)
        await _body(request)
        given = await who.apart(lambda office: approvals.give(office, proposal))
        shown: Json = to_json(given)
        return shown

    @app.post("/api/v1/halt", summary="Stop trading at once")
    async def halt(request: Request) -> Json:
        office = _Caller(process, request).may(users.Action.HALT)
        body = await _body(request, reason=str)
        stop = controls.halt(office, str(body.get("reason") or "no reason was given"))
        return {"halted": True, "by": stop.by, "reason": stop.reason}

    @app.post("/api/v1/resume", summary="Let trading go on")
    async def resume(request: Request) -> Json:
        office = _Caller(process, request).may(users.Action.RESUME)
        await _body(request)
        return {"halted": False, "by": controls.resume(office)}


def _voice(app: FastAPI, process: DeskProcess) -> None:
    @app.post(
        "/api/v1/proposals/{proposal}/voice", summary="Award on quotes heard by chat or telephone"
    )
    async def voice(request: Request, proposal: _Id, key: _Key = None) -> Json:
        who = _Caller(process, request)
        office = who.may(users.Action.TRADE)
        body = await _body(request, quotes=list, dealt=str, nothing=bool)
        spoken = spoken_of(body)
        named = process.key_of(key, "voice", proposal, who.name, repr(spoken))
        made = await process.hear(proposal, who.name, who.token, named, spoken)
        if made is None:
            return {"settled": True}
        await process.outcome(made, 60)
        return executions.shown(office.state(), made)
