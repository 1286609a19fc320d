"""Users: make them, give them tokens, take tokens back."""

import sys

import click

from headframe.cli.frame import Call, Whole, command


@click.group()
def user() -> None:
    """Users with roles; from the first one on every action needs a token (HEADFRAME_TOKEN)."""


@user.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, help="A role; may be given again.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin, not a prompt.")
@command
def put(call: Call, name: str, roles: tuple[str, ...], password_stdin: bool) -> None:
    """Make user NAME or change roles and password; the first one is an administrator."""
    from headframe.desk import users
    from headframe.wiring import password_hash

    word = _password(password_stdin)
    users.put(call.office(), name, roles, word, password_hash)
    call.answer("user", {"name": name, "roles": sorted(roles)}, f"{name}: {', '.join(roles)}")


@user.command()
@click.argument("name")
@click.option("--days", type=Whole(1, 366), default=1, show_default=True, help="Days it lives.")
@click.option("--scope", "scopes", multiple=True, help="What it may do (default: all you may).")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin, not a prompt.")
@command
def login(call: Call, name: str, days: int, scopes: tuple[str, ...], password_stdin: bool) -> None:
    """A token for NAME's password, printed once: put it into HEADFRAME_TOKEN."""
    import secrets
    from datetime import timedelta

    from headframe.desk import users
    from headframe.units import iso
    from headframe.wiring import password_fits

    token = secrets.token_urlsafe(32)
    word = _password(password_stdin)
    life = timedelta(days=days)
    ends = users.login(
        call.office(), name, word, verify=password_fits, token=token, life=life, scopes=scopes
    )
    data = {"name": name, "token": token, "expires_at": iso(ends)}
    call.answer("token", data, token, f"it ends {iso(ends)}")


@user.command()
@click.argument("name")
@command
def revoke(call: Call, name: str) -> None:
    """End every token of NAME."""
    from headframe.desk import users

    count = users.revoke(call.office(), name)
    call.answer("revoked", {"name": name, "tokens": count}, f"{count} tokens of {name} ended")


@user.command(name="list")
@command
def list_users(call: Call) -> None:
    """Every user and what each may do."""
    from headframe.desk import users

    state = call.office().state()
    rows = [{"name": one.name, "roles": list(one.roles)} for one in state.users.values()]
    matrix = {str(action): sorted(str(r) for r in roles) for action, roles in users.MATRIX.items()}
    lines = [f"{one['name']}: {', '.join(one['roles'])}" for one in rows]
    call.answer(
        "users",
        {"users": rows, "matrix": matrix},
        *(lines or ["no users: names are taken as given"]),
    )


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt("Password", hide_input=True, err=True))
