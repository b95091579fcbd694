"""All tables of the first release, and the triggers that keep decisions and audit as they were.

Revision: 0001, the first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

NEVER_DELETED = ("adjudications", "audit_events", "reviews")
NEVER_CHANGED = (
    *NEVER_DELETED,
    "candidates",
    "embeddings",
    "landmark_versions",
    "renditions",
    "reports",
    "search_inputs",
)


def upgrade() -> None:
    """Make tables, then triggers."""
    create_tables()
    if op.get_bind().dialect.name == "postgresql":
        guard_postgresql()
    else:
        guard_sqlite()


def guard_sqlite() -> None:
    """Refuse updates and deletions row by row."""
    guards = [(table, "UPDATE", "changed") for table in NEVER_CHANGED]
    guards += [(table, "DELETE", "deleted") for table in NEVER_DELETED]
    for table, action, done in guards:
        op.execute(
            f"CREATE TRIGGER {table}_never_{done} BEFORE {action} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table}: rows are never {done}'); END"
        )


def guard_postgresql() -> None:
    """Refuse updates, deletions and TRUNCATE statement by statement."""
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '%: rows are never %', TG_TABLE_NAME, TG_ARGV[0] "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    guards = [(table, "UPDATE", "changed") for table in NEVER_CHANGED]
    guards += [(table, "DELETE OR TRUNCATE", "deleted") for table in NEVER_DELETED]
    for table, actions, done in guards:
        op.execute(
            f"CREATE TRIGGER {table}_never_{done} BEFORE {actions} ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('{done}')"
        )


def one_of(name: str, *values: str) -> sa.Enum:
    """Return a text column type with a check for its values."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def create_tables() -> None:
    """Make every table and index."""
    op.create_table(
        "audit_events",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_audit_events_sequence")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_events_hash")),
        sa.UniqueConstraint("previous_hash", name=op.f("uq_audit_events_previous_hash")),
    )
    op.create_index(
        op.f("ix_audit_events_actor_sequence"), "audit_events", ["actor", "sequence"], unique=False
    )
    op.create_index(
        op.f("ix_audit_events_case_id_sequence"),
        "audit_events",
        ["case_id", "sequence"],
        unique=False,
    )
    op.create_index(
        op.f("ix_audit_events_tag_sequence"), "audit_events", ["tag", "sequence"], unique=False
    )
    op.create_table(
        "galleries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("embedder", sa.Text(), nullable=False),
        sa.Column("weights_sha256", sa.String(64), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("policy", JSON, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("dimension > 0 AND revision >= 0", name=op.f("ck_galleries_numbers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_galleries")),
        sa.UniqueConstraint("name", name=op.f("uq_galleries_name")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("password_digest", sa.Text(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until_at", TIME, nullable=True),
        sa.Column("last_login_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("failed_logins >= 0", name=op.f("ck_users_failed_logins")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest_sha256", sa.String(64), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"], unique=False)
    op.create_table(
        "cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("offence", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", one_of("casestatus", "open", "closed"), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("retain_until_on", sa.Date(), nullable=True),
        sa.Column("legal_hold", sa.Boolean(), nullable=False),
        sa.Column("legal_hold_reason", sa.Text(), nullable=True),
        sa.Column("expunged_at", TIME, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(status = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_cases_closed_at")
        ),
        sa.CheckConstraint(
            "NOT (legal_hold AND expunged_at IS NOT NULL)",
            name=op.f("ck_cases_hold_forbids_expunging"),
        ),
        sa.ForeignKeyConstraint(["opened_by_id"], ["users.id"], name=op.f("fk_cases_opened_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("number", name=op.f("uq_cases_number")),
    )
    op.create_index(op.f("ix_cases_retain_until_on"), "cases", ["retain_until_on"], unique=False)
    op.create_table(
        "index_generations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gallery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("gallery_revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("photo_count", sa.BigInteger(), nullable=True),
        sa.Column("manifest_sha256", sa.String(64), nullable=True),
        sa.Column("measured_recall", sa.Double(), nullable=True),
        sa.Column(
            "state",
            one_of("generationstate", "building", "active", "retired", "failed"),
            nullable=False,
        ),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("activated_at", TIME, nullable=True),
        sa.CheckConstraint(
            "state <> 'active' OR (manifest_sha256 IS NOT NULL AND photo_count IS NOT NULL)",
            name=op.f("ck_index_generations_active_is_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["gallery_id"], ["galleries.id"], name=op.f("fk_index_generations_gallery_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_generations")),
        sa.UniqueConstraint(
            "gallery_id", "number", name=op.f("uq_index_generations_gallery_id_number")
        ),
    )
    op.create_index(
        "uq_index_generations_active",
        "index_generations",
        ["gallery_id"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "subjects",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gallery_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expunged_at", TIME, nullable=True),
        sa.CheckConstraint(
            "expunged_at IS NULL OR (sex IS NULL AND birth_year IS NULL)",
            name=op.f("ck_subjects_expunged_is_empty"),
        ),
        sa.ForeignKeyConstraint(
            ["gallery_id"], ["galleries.id"], name=op.f("fk_subjects_gallery_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subjects")),
        sa.UniqueConstraint(
            "gallery_id", "external_id", name=op.f("uq_subjects_gallery_id_external_id")
        ),
    )
    op.create_index(
        op.f("ix_subjects_gallery_id_id"), "subjects", ["gallery_id", "id"], unique=False
    )
    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            one_of(
                "role", "investigator", "examiner", "gallery_manager", "auditor", "administrator"
            ),
            nullable=False,
        ),
        sa.Column("granted_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["granted_by_id"], ["users.id"], name=op.f("fk_user_roles_granted_by_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_roles_user_id")),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_user_roles")),
    )
    op.create_table(
        "case_members",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["assigned_by_id"], ["users.id"], name=op.f("fk_case_members_assigned_by_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_members_case_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_case_members_user_id")),
        sa.PrimaryKeyConstraint("case_id", "user_id", name=op.f("pk_case_members")),
    )
    op.create_index(op.f("ix_case_members_user_id"), "case_members", ["user_id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "state",
            one_of("jobstate", "queued", "running", "succeeded", "failed", "cancelled"),
            nullable=False,
        ),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("gallery_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by_id", sa.Uuid(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("progress", JSON, nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.CheckConstraint(
            "(state = 'running') = (worker IS NOT NULL)", name=op.f("ck_jobs_worker")
        ),
        sa.CheckConstraint(
            "(state IN ('succeeded', 'failed', 'cancelled')) = (ended_at IS NOT NULL)",
            name=op.f("ck_jobs_ended_at"),
        ),
        sa.CheckConstraint(
            "state <> 'failed' OR reason_code IS NOT NULL", name=op.f("ck_jobs_reason")
        ),
        sa.CheckConstraint(
            "total >= 0 AND done >= 0 AND attempts >= 0", name=op.f("ck_jobs_counts")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_jobs_case_id")),
        sa.ForeignKeyConstraint(["gallery_id"], ["galleries.id"], name=op.f("fk_jobs_gallery_id")),
        sa.ForeignKeyConstraint(
            ["requested_by_id"], ["users.id"], name=op.f("fk_jobs_requested_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_case_id"), "jobs", ["case_id"], unique=False)
    op.create_index(op.f("ix_jobs_gallery_id"), "jobs", ["gallery_id"], unique=False)
    op.create_index(op.f("ix_jobs_state_id"), "jobs", ["state", "id"], unique=False)
    op.create_table(
        "photos",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("gallery_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("crop_sha256", sa.String(64), nullable=True),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("quality", JSON, nullable=False),
        sa.Column("landmarks", JSON, nullable=False),
        sa.Column("state", one_of("photostate", "active", "removed", "expunged"), nullable=False),
        sa.Column("added_revision", sa.BigInteger(), nullable=False),
        sa.Column("removed_revision", sa.BigInteger(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(
            "(state = 'active') = (removed_revision IS NULL)",
            name=op.f("ck_photos_removed_revision"),
        ),
        sa.ForeignKeyConstraint(
            ["gallery_id"], ["galleries.id"], name=op.f("fk_photos_gallery_id")
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_photos_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_photos_gallery_id_added_revision"),
        "photos",
        ["gallery_id", "added_revision"],
        unique=False,
    )
    op.create_index(
        op.f("ix_photos_gallery_id_removed_revision"),
        "photos",
        ["gallery_id", "removed_revision"],
        unique=False,
    )
    op.create_index(
        "uq_photos_content",
        "photos",
        ["gallery_id", "sha256"],
        unique=True,
        sqlite_where=sa.text("state <> 'removed'"),
        postgresql_where=sa.text("state <> 'removed'"),
    )
    op.create_index(op.f("ix_photos_subject_id"), "photos", ["subject_id"], unique=False)
    op.create_table(
        "probes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("sketch_sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            one_of("probekind", "viewed", "forensic", "composite", "freehand"),
            nullable=False,
        ),
        sa.Column("artist", sa.Text(), nullable=True),
        sa.Column("interviewed_on", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("person_label", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("sealed_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("withdrawn_at", TIME, nullable=True),
        sa.Column("expunged_at", TIME, nullable=True),
        sa.CheckConstraint(
            "width_px > 0 AND height_px > 0 AND size_bytes > 0", name=op.f("ck_probes_sizes")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_probes_case_id")),
        sa.ForeignKeyConstraint(
            ["sealed_by_id"], ["users.id"], name=op.f("fk_probes_sealed_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probes")),
        sa.UniqueConstraint(
            "case_id", "sketch_sha256", name=op.f("uq_probes_case_id_sketch_sha256")
        ),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("written_by_id", sa.Uuid(), nullable=False),
        sa.Column(
            "format", one_of("reportformat", "html", "pdf", "json", "csv", "zip"), nullable=False
        ),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("contents", JSON, nullable=False),
        sa.Column("software_version", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_reports_case_id")),
        sa.ForeignKeyConstraint(
            ["written_by_id"], ["users.id"], name=op.f("fk_reports_written_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    op.create_index(op.f("ix_reports_case_id"), "reports", ["case_id"], unique=False)
    op.create_table(
        "embeddings",
        sa.Column("photo_id", SERIAL, nullable=False),
        sa.Column("weights_sha256", sa.String(64), nullable=False),
        sa.Column("embedder", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(
            "length(vector) = 4 * dimension", name=op.f("ck_embeddings_vector_length")
        ),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], name=op.f("fk_embeddings_photo_id")),
        sa.PrimaryKeyConstraint("photo_id", "weights_sha256", name=op.f("pk_embeddings")),
    )
    op.create_table(
        "job_items",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject_external_id", sa.Text(), nullable=False),
        sa.Column("subject_metadata", JSON, nullable=False),
        sa.Column(
            "state",
            one_of("itemstate", "pending", "indexed", "duplicate", "rejected"),
            nullable=False,
        ),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("photo_id", SERIAL, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.CheckConstraint(
            "(state = 'rejected') = (reason_code IS NOT NULL)", name=op.f("ck_job_items_reason")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_items_job_id")),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], name=op.f("fk_job_items_photo_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_items")),
        sa.UniqueConstraint("job_id", "position", name=op.f("uq_job_items_job_id_position")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_job_items_job_id_state_position"),
        "job_items",
        ["job_id", "state", "position"],
        unique=False,
    )
    op.create_table(
        "landmark_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("probe_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("points", JSON, nullable=False),
        sa.Column("origin", one_of("landmarkorigin", "detector", "person"), nullable=False),
        sa.Column("detector", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(
            "(origin = 'person') = (author_id IS NOT NULL)",
            name=op.f("ck_landmark_versions_author"),
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_landmark_versions_number")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_landmark_versions_author_id")
        ),
        sa.ForeignKeyConstraint(
            ["probe_id"], ["probes.id"], name=op.f("fk_landmark_versions_probe_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_landmark_versions")),
        sa.UniqueConstraint(
            "probe_id", "number", name=op.f("uq_landmark_versions_probe_id_number")
        ),
    )
    op.create_table(
        "searches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("gallery_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("list_length", sa.Integer(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("index_generation_id", sa.Uuid(), nullable=True),
        sa.Column("gallery_size", sa.BigInteger(), nullable=True),
        sa.Column("extent", JSON, nullable=True),
        sa.Column("model_hashes", JSON, nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("is_exact", sa.Boolean(), nullable=True),
        sa.Column("measured_recall", sa.Double(), nullable=True),
        sa.Column("timings_ms", JSON, nullable=True),
        sa.Column("software_version", sa.Text(), nullable=True),
        sa.Column("completed_at", TIME, nullable=True),
        sa.CheckConstraint(
            "completed_at IS NULL OR (gallery_size IS NOT NULL AND model_hashes IS NOT NULL AND device IS NOT NULL AND timings_ms IS NOT NULL AND is_exact IS NOT NULL)",
            name=op.f("ck_searches_outcome_is_whole"),
        ),
        sa.CheckConstraint(
            "is_exact IS NULL OR is_exact OR measured_recall IS NOT NULL",
            name=op.f("ck_searches_recall_if_approximate"),
        ),
        sa.CheckConstraint("list_length BETWEEN 1 AND 2048", name=op.f("ck_searches_list_length")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_searches_case_id")),
        sa.ForeignKeyConstraint(
            ["gallery_id"], ["galleries.id"], name=op.f("fk_searches_gallery_id")
        ),
        sa.ForeignKeyConstraint(
            ["index_generation_id"],
            ["index_generations.id"],
            name=op.f("fk_searches_index_generation_id"),
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_searches_job_id")),
        sa.ForeignKeyConstraint(
            ["requested_by_id"], ["users.id"], name=op.f("fk_searches_requested_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searches")),
    )
    op.create_index(op.f("ix_searches_case_id_id"), "searches", ["case_id", "id"], unique=False)
    op.create_table(
        "candidates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("search_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("photo_id", SERIAL, nullable=False),
        sa.Column("photo_sha256", sa.String(64), nullable=False),
        sa.Column("similarity", sa.Double(), nullable=False),
        sa.CheckConstraint("rank > 0", name=op.f("ck_candidates_rank")),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], name=op.f("fk_candidates_photo_id")),
        sa.ForeignKeyConstraint(
            ["search_id"], ["searches.id"], name=op.f("fk_candidates_search_id")
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.id"], name=op.f("fk_candidates_subject_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidates")),
        sa.UniqueConstraint("search_id", "rank", name=op.f("uq_candidates_search_id_rank")),
        sa.UniqueConstraint(
            "search_id", "subject_id", name=op.f("uq_candidates_search_id_subject_id")
        ),
    )
    op.create_index(op.f("ix_candidates_photo_id"), "candidates", ["photo_id"], unique=False)
    op.create_index(op.f("ix_candidates_subject_id"), "candidates", ["subject_id"], unique=False)
    op.create_table(
        "renditions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("probe_id", sa.Uuid(), nullable=False),
        sa.Column("landmark_version_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("generator", sa.Text(), nullable=False),
        sa.Column("weights_sha256", sa.String(64), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("output_sha256", sa.String(64), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("software_version", sa.Text(), nullable=False),
        sa.Column("duration_ms", sa.Double(), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_renditions_job_id")),
        sa.ForeignKeyConstraint(
            ["landmark_version_id"],
            ["landmark_versions.id"],
            name=op.f("fk_renditions_landmark_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_renditions_made_by_id")
        ),
        sa.ForeignKeyConstraint(["probe_id"], ["probes.id"], name=op.f("fk_renditions_probe_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renditions")),
    )
    op.create_index(
        op.f("ix_renditions_probe_id_id"), "renditions", ["probe_id", "id"], unique=False
    )
    op.create_table(
        "adjudications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("adjudicator_id", sa.Uuid(), nullable=False),
        sa.Column(
            "verdict",
            one_of("verdict", "potential_candidate", "no_candidate", "inconclusive"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["adjudicator_id"], ["users.id"], name=op.f("fk_adjudications_adjudicator_id")
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidates.id"], name=op.f("fk_adjudications_candidate_id")
        ),
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["adjudications.id"], name=op.f("fk_adjudications_supersedes_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjudications")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_adjudications_supersedes_id")),
    )
    op.create_index(
        op.f("ix_adjudications_candidate_id"), "adjudications", ["candidate_id"], unique=False
    )
    op.create_index(
        "uq_adjudications_first",
        "adjudications",
        ["candidate_id"],
        unique=True,
        sqlite_where=sa.text("supersedes_id IS NULL"),
        postgresql_where=sa.text("supersedes_id IS NULL"),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("examiner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "verdict",
            one_of("verdict", "potential_candidate", "no_candidate", "inconclusive"),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("features", JSON, nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidates.id"], name=op.f("fk_reviews_candidate_id")
        ),
        sa.ForeignKeyConstraint(["examiner_id"], ["users.id"], name=op.f("fk_reviews_examiner_id")),
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["reviews.id"], name=op.f("fk_reviews_supersedes_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_reviews_supersedes_id")),
    )
    op.create_index(
        op.f("ix_reviews_candidate_id_id"), "reviews", ["candidate_id", "id"], unique=False
    )
    op.create_index(
        "uq_reviews_first",
        "reviews",
        ["candidate_id", "examiner_id"],
        unique=True,
        sqlite_where=sa.text("supersedes_id IS NULL"),
        postgresql_where=sa.text("supersedes_id IS NULL"),
    )
    op.create_table(
        "search_inputs",
        sa.Column("search_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("probe_id", sa.Uuid(), nullable=False),
        sa.Column("landmark_version_id", sa.Uuid(), nullable=False),
        sa.Column("rendition_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["landmark_version_id"],
            ["landmark_versions.id"],
            name=op.f("fk_search_inputs_landmark_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["probe_id"], ["probes.id"], name=op.f("fk_search_inputs_probe_id")
        ),
        sa.ForeignKeyConstraint(
            ["rendition_id"], ["renditions.id"], name=op.f("fk_search_inputs_rendition_id")
        ),
        sa.ForeignKeyConstraint(
            ["search_id"], ["searches.id"], name=op.f("fk_search_inputs_search_id")
        ),
        sa.PrimaryKeyConstraint("search_id", "position", name=op.f("pk_search_inputs")),
    )
    op.create_index(op.f("ix_search_inputs_probe_id"), "search_inputs", ["probe_id"], unique=False)
    op.create_table(
        "web_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_web_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_sessions")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_web_sessions_token_sha256")),
    )
    op.create_index(
        op.f("ix_web_sessions_expires_at"), "web_sessions", ["expires_at"], unique=False
    )
    op.create_index(op.f("ix_web_sessions_user_id"), "web_sessions", ["user_id"], unique=False)
    op.create_table(
        "idempotent_replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", JSON, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_idempotent_replies_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotent_replies")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_idempotent_replies_user_id_key")),
    )
    op.create_index(
        op.f("ix_idempotent_replies_created_at"), "idempotent_replies", ["created_at"], unique=False
    )
