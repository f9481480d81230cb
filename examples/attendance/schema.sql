-- Run at each start; what is there stays. One process at a time.
SELECT pg_advisory_xact_lock(20);

CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE IF NOT EXISTS people (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  enrolled_at timestamptz NOT NULL DEFAULT now()
);

-- All that is about a person goes with the person: ON DELETE CASCADE.
CREATE TABLE IF NOT EXISTS consents (
  person_id uuid PRIMARY KEY REFERENCES people ON DELETE CASCADE,
  text_version text NOT NULL,
  recorded_by text NOT NULL,
  given_at timestamptz NOT NULL DEFAULT now()
);

-- One embedding of each person in each space: two while a change of model is under way. Spaces differ in length, so the column has none.
CREATE TABLE IF NOT EXISTS templates (
  person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
  space text NOT NULL,
  embedding vector NOT NULL,
  photographs int NOT NULL,
  PRIMARY KEY (person_id, space)
);

-- Aligned faces, which a new model embeds; empty with STORE_FACES=false.
CREATE TABLE IF NOT EXISTS faces (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person_id uuid NOT NULL REFERENCES people ON DELETE CASCADE,
  image bytea NOT NULL
);
CREATE INDEX IF NOT EXISTS faces_person ON faces (person_id);

-- Outlives the person, hence no reference: the id of someone deleted leads to nothing.
CREATE TABLE IF NOT EXISTS audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  action text NOT NULL,
  person_id uuid,
  detail jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_at ON audit (at);

-- Each space has an HNSW index of its own: one has vectors of one length, and a search must not lose places to another space.
CREATE OR REPLACE FUNCTION index_space(name text, size int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(21);
  IF to_regclass('templates_' || md5(name)) IS NULL THEN
    EXECUTE format('CREATE INDEX %I ON templates USING hnsw ((embedding::vector(%s)) vector_cosine_ops) WHERE space = %L',
      'templates_' || md5(name), size, name);
  END IF;
END $$;
