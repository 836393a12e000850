\set id random(1, 20000)
DELETE FROM leads WHERE id = :id;
