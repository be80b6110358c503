-- Which invocation holds which key of an object or workflow: what Restate up to 1.7 had as a table
select partition_key,
       substr(lock_name, 1, strpos(lock_name, '/') - 1) as service_name,
       substr(lock_name, strpos(lock_name, '/') + 1) as service_key,
       acquired_by as invocation_id
from sys_locks
where acquired_by like 'inv_%'
