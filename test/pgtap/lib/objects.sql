-- objects(): what the extension consists of, each object with all that an upgrade could make different
-- installed(): the version that is

CREATE FUNCTION objects() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(E'\n', pg_describe_object(d.classid, d.objid, 0), pg_get_functiondef(p.oid), p.proacl, w.fdwhandler::regproc,
		w.fdwvalidator::regproc, w.fdwacl, i.initprivs,
		pg_get_viewdef(c.oid), c.relacl, c.reloptions, (SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attacl,
			col_description(attrelid, attnum)), E'\n' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0),
		obj_description(d.objid, d.classid::regclass::name))
	FROM pg_depend d LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
		LEFT JOIN pg_foreign_data_wrapper w ON d.classid = 'pg_foreign_data_wrapper'::regclass AND w.oid = d.objid
		LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
		LEFT JOIN pg_init_privs i ON i.classoid = d.classid AND i.objoid = d.objid AND i.objsubid = 0
	WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'sigma_fdw')
	UNION ALL
	SELECT concat_ws(' ', extname, extnamespace::regnamespace, extrelocatable, extconfig, obj_description(oid, 'pg_extension'))
	FROM pg_extension WHERE extname = 'sigma_fdw'
$$;
CREATE FUNCTION installed() RETURNS text LANGUAGE sql AS $$ SELECT extversion FROM pg_extension WHERE extname = 'sigma_fdw' $$;
