-- Run once by MySQL's image on an empty volume, after it has created the user `migrate` and the database.
-- The migrate job changes the schema and looks after the services' users. It is no superuser: it can
-- neither change root's password nor grant what it does not have.
GRANT ALL PRIVILEGES ON `matinee`.* TO 'migrate'@'%' WITH GRANT OPTION;
GRANT CREATE USER ON *.* TO 'migrate'@'%';
