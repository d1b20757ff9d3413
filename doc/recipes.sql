-- Sigma's public recipes that read, each as one statement.  IMPORT FOREIGN SCHEMA has created the tables in a schema "sigma".
-- Each statement reads all pages; if it cannot, it fails.

-- List all connections, by name
SELECT name, type, connection_id, account, host, warehouse, last_active_at
  FROM sigma.connections
 ORDER BY name;

-- One connection, by its name
SELECT *
  FROM sigma.connections
 WHERE name = 'Snowflake East';

-- The tables below a schema of a connection, each of which can be synced
SELECT t.table_catalog, t.table_schema, t.table_name
  FROM (SELECT c.name, p.path ->> 0 AS table_catalog, p.path ->> 1 AS table_schema, p.path ->> 2 AS table_name
          FROM sigma.connections c JOIN sigma.connection_paths p USING (connection_id)) t
 WHERE t.name = 'Snowflake East' AND t.table_catalog = 'SALES' AND t.table_schema = 'PUBLIC' AND t.table_name IS NOT NULL
 ORDER BY t.table_name;

-- List all members
SELECT email, first_name, last_name, member_type, user_kind, member_id
  FROM sigma.members
 ORDER BY email;

-- One member, by e-mail address
SELECT *
  FROM sigma.members
 WHERE email = 'ada.okafor.0@example.com';

-- Inactive members: those whom the identity provider has deactivated
SELECT email, member_type, updated_at
  FROM sigma.members
 WHERE is_inactive
 ORDER BY email;

-- Idle members: those who have used no document in 90 days; sends a request for each member
SELECT m.email, max(r.last_interaction_at) AS last_interaction_at
  FROM sigma.members m LEFT JOIN sigma.member_recents r USING (member_id)
 GROUP BY m.member_id, m.email
HAVING coalesce(max(r.last_interaction_at) < now() - interval '90 days', true)
 ORDER BY m.email;

-- The members of each team
SELECT t.name AS team, m.email, tm.is_team_admin
  FROM sigma.teams t JOIN sigma.team_members tm USING (team_id) JOIN sigma.members m ON m.member_id = tm.user_id
 ORDER BY t.name, m.email;

-- A member's recent workbooks, the latest first
SELECT r.name, r.permission, r.last_interaction_at
  FROM sigma.members m JOIN sigma.member_recents r USING (member_id)
 WHERE m.email = 'ada.okafor.0@example.com' AND r.type = 'workbook' AND r.name <> 'Exploration'
 ORDER BY r.last_interaction_at DESC;

-- List all workbooks with URL and version
SELECT name, url, latest_version, path, workbook_id
  FROM sigma.workbooks
 ORDER BY name;

-- Workbooks by owner
SELECT m.email AS owner, w.name, w.path, w.created_at, w.updated_at, w.latest_version
  FROM sigma.workbooks w JOIN sigma.members m ON m.member_id = w.owner_id
 ORDER BY m.email, w.name;

-- Input tables in all workbooks; sends a request for each page of each workbook
SELECT w.name AS workbook, w.path, p.name AS page, e.name AS input_table, e.element_id, w.latest_version
  FROM sigma.workbooks w
  JOIN sigma.workbook_pages p USING (workbook_id)
  JOIN sigma.workbook_elements e USING (workbook_id, page_id)
 WHERE e.type = 'input-table'
 ORDER BY w.name, e.name;

-- Workbooks whose custom SQL uses #raw, which Sigma accepts until December 1, 2026
SELECT w.name AS workbook, m.email AS owner, s.custom_sql_id AS element_id, s.definition
  FROM sigma.workbooks w
  JOIN sigma.workbook_sources s USING (workbook_id)
  LEFT JOIN sigma.members m ON m.member_id = w.owner_id
 WHERE s.type = 'custom-sql' AND s.definition LIKE '%#raw%'
 ORDER BY w.name;

-- Which formulas use a column: all that name it, in workbooks and data models
SELECT d.kind, d.name, e ->> 'name' AS element, c ->> 'name' AS column, c ->> 'formula' AS formula
  FROM (SELECT 'workbook' AS kind, w.name, s.spec FROM sigma.workbooks w JOIN sigma.workbook_specs s USING (workbook_id)
        UNION ALL
        SELECT 'data model', m.name, s.spec FROM sigma.data_models m JOIN sigma.data_model_specs s USING (data_model_id)) d
 CROSS JOIN jsonb_path_query(d.spec, '$.pages[*].elements[*]') e
 CROSS JOIN jsonb_path_query(e, '$.columns[*]') c
 WHERE c ->> 'formula' LIKE '%/Amount]%'
 ORDER BY d.kind, d.name, element;

-- Which custom SQL still has #raw: in the code of workbooks, data models and reports
SELECT d.kind, d.name, e ->> 'name' AS element, e -> 'source' ->> 'statement' AS statement
  FROM (SELECT 'workbook' AS kind, w.name, s.spec FROM sigma.workbooks w JOIN sigma.workbook_specs s USING (workbook_id)
        UNION ALL
        SELECT 'data model', m.name, s.spec FROM sigma.data_models m JOIN sigma.data_model_specs s USING (data_model_id)
        UNION ALL
        SELECT 'report', r.name, s.spec FROM sigma.reports r JOIN sigma.report_specs s USING (report_id)) d
 CROSS JOIN jsonb_path_query(d.spec, '$.pages[*].elements[*]') e
 WHERE e -> 'source' ->> 'statement' LIKE '%#raw%'
 ORDER BY d.kind, d.name;

-- Workbooks shared with a member
SELECT w.name, w.url, w.latest_version, f.permission
  FROM sigma.members m
  JOIN sigma.member_files f ON f.member_id = m.member_id AND f.type = 'workbook'
  JOIN sigma.workbooks w ON w.workbook_id = f.id
 WHERE m.email = 'ada.okafor.0@example.com'
 ORDER BY w.name;

-- Who shares what with whom: the permissions on each workbook
SELECT w.name AS workbook, g.permission, coalesce(m.email, t.name) AS shared_with, by.email AS shared_by
  FROM sigma.workbooks w
  JOIN sigma.grants g ON g.inode_id = w.workbook_id
  LEFT JOIN sigma.members m ON m.member_id = g.member_id
  LEFT JOIN sigma.teams t ON t.team_id = g.team_id
  LEFT JOIN sigma.members by ON by.member_id = g.created_by
 ORDER BY w.name, shared_with;

-- Embeds of each workbook
SELECT w.name AS workbook, e.embed_url, e.public, e.source_type, e.source_name
  FROM sigma.workbooks w JOIN sigma.workbook_embeds e USING (workbook_id)
 ORDER BY w.name;

-- When each element is materialized
SELECT w.name AS workbook, s.element_name, s.schedule ->> 'cronSpec' AS cron, s.schedule ->> 'timezone' AS timezone, s.paused
  FROM sigma.workbooks w JOIN sigma.workbook_materialization_schedules s USING (workbook_id)
 ORDER BY w.name, s.element_name;
