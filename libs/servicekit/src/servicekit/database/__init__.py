"""A database behind a URL: engine, reader threads, the single writer, migrations and cursors.

The extra `database` brings SQLAlchemy, Alembic and PostgreSQL's driver; importing this package loads none of them.
"""
