-- Which schools were damaged, how badly, and how many are whole again: by DuckDB or PostgreSQL.
--
--     curl -o schema.sql "$REGISTER/data/schema.sql"
--     curl -o reports.csv "$REGISTER/reports.csv?kind=building&type=school"
--
-- schema.sql makes empty tables with the columns of the files. DuckDB fills them by
--     COPY reports FROM 'reports.csv' (HEADER, NULLSTR '');
-- and PostgreSQL's psql by
--     \copy reports FROM 'reports.csv' (FORMAT csv, HEADER)

SELECT
  adm1_name,
  damage_level,
  count(*) AS damage,
  -- A building that was struck twice has one asset; without one, the report stands for it.
  count(DISTINCT coalesce(asset, reference)) AS buildings,
  count(repaired_on) AS repaired
FROM reports
GROUP BY adm1_name, damage_level
ORDER BY adm1_name, damage_level;
