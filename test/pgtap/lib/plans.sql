-- What EXPLAIN shows.

CREATE FUNCTION plan_of(query text, options text DEFAULT 'COSTS OFF') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END
$$;

-- how many names come twice in an object of it (json, other than jsonb, keeps them)
CREATE FUNCTION names_twice(value json) RETURNS bigint
LANGUAGE sql AS $$
	SELECT CASE json_typeof(value)
		WHEN 'object' THEN (SELECT count(*) - count(DISTINCT key) + coalesce(sum(names_twice(e.value)), 0) FROM json_each(value) e)
		WHEN 'array' THEN (SELECT coalesce(sum(names_twice(e.value)), 0) FROM json_array_elements(value) e)
		ELSE 0 END
$$;
