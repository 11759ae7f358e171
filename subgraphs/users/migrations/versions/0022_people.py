"""All people for administrators: the newest first, and the few who are suspended, administrators or have had PREMIUM."""

from alembic import op

revision = "users_0022"
down_revision = "users_0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, condition in (
        ("account_by_creation", "TRUE"),
        ("account_not_active", "status <> 'ACTIVE'"),
        ("account_of_administrator", "'ADMIN' = ANY(roles)"),
        ("account_with_premium", "premium_until IS NOT NULL"),
    ):
        op.execute(f"CREATE INDEX {name} ON account (created_at DESC, id DESC) WHERE {condition}")
