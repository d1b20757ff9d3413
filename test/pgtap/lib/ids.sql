-- The connections of the small organization by number, from 0 on; 13 and 14 are
-- archived.

CREATE TABLE ids AS
SELECT n::int - 1 AS n, e ->> 'connectionId' AS id
FROM jsonb_array_elements(sigma_request('sim', 'GET', '/v2/connections', '{"includeArchived": true}') -> 'entries')
	WITH ORDINALITY AS l (e, n);

CREATE FUNCTION id_of(n int) RETURNS text
LANGUAGE sql STABLE AS $$ SELECT i.id FROM public.ids i WHERE i.n = id_of.n $$;
