\set id random(1, 4000)
\set one random(0, 39)
UPDATE leads SET phone = number(:one), note = 'edited' WHERE id = :id;
