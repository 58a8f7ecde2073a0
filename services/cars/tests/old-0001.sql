BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE corrections (
	file_id INTEGER NOT NULL, 
	label VARCHAR(200) NOT NULL, 
	make VARCHAR(64), 
	model VARCHAR(64), 
	body VARCHAR(64), 
	year INTEGER, 
	corrected_ms BIGINT NOT NULL, 
	CONSTRAINT pk_corrections PRIMARY KEY (file_id), 
	CONSTRAINT fk_corrections_file_id_files FOREIGN KEY(file_id) REFERENCES files (id) ON DELETE CASCADE
);
INSERT INTO "corrections" VALUES(5,'BMW M3 Coupe 2012','BMW','M3','Coupe',2012,1767225600000);
CREATE TABLE files (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	filename VARCHAR(255) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	"key" VARCHAR(128) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	content_type VARCHAR(32) NOT NULL, 
	uploaded_ms BIGINT NOT NULL, 
	status VARCHAR(12) NOT NULL, 
	claims INTEGER NOT NULL, 
	lease_until_ms BIGINT, 
	recognized_ms BIGINT, 
	reason VARCHAR(16), 
	error JSON, 
	backend VARCHAR(16), 
	model_name VARCHAR(255), 
	model_version VARCHAR(255), 
	region JSON, 
	shares JSON, 
	prediction_count INTEGER NOT NULL, 
	confidence FLOAT, 
	corrected BOOLEAN NOT NULL, 
	shown_make VARCHAR(64), 
	shown_model VARCHAR(64), 
	search VARCHAR(1850) NOT NULL, 
	CONSTRAINT uq_files_sha256 UNIQUE (sha256), 
	CONSTRAINT uq_files_key UNIQUE ("key")
);
INSERT INTO "files" VALUES(2,'red.jpg','0202020202020202020202020202020202020202020202020202020202020202','originals/02/0202020202020202020202020202020202020202020202020202020202020202-00000002.jpg',1000,640,480,'image/jpeg',1767225600000,'recognized',1,NULL,1767225600000,NULL,NULL,'local','efficientnet-lite2','1',NULL,NULL,1,0.93,0,'Tesla','Model S','red.jpg');
INSERT INTO "files" VALUES(5,'blue.png','0505050505050505050505050505050505050505050505050505050505050505','originals/05/0505050505050505050505050505050505050505050505050505050505050505-00000005.jpg',1000,640,480,'image/jpeg',1767225600000,'unrecognized',1,NULL,1767225600000,'unknown_model',NULL,'local','efficientnet-lite2','1',NULL,NULL,1,0.41,1,'BMW','M3','blue.png');
INSERT INTO "files" VALUES(7,'green.jpg','0707070707070707070707070707070707070707070707070707070707070707','originals/07/0707070707070707070707070707070707070707070707070707070707070707-00000007.jpg',1000,640,480,'image/jpeg',1767312000000,'pending',1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,'green.jpg');
CREATE TABLE jobs (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(32) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	owner VARCHAR(128), 
	status VARCHAR(9) NOT NULL, 
	progress FLOAT NOT NULL, 
	parameters JSON NOT NULL, 
	result JSON, 
	error JSON, 
	created_ms BIGINT NOT NULL, 
	started_ms BIGINT, 
	finished_ms BIGINT, 
	claims INTEGER NOT NULL, 
	lease_until_ms BIGINT, 
	CONSTRAINT uq_jobs_id UNIQUE (id)
);
CREATE TABLE predictions (
	file_id INTEGER NOT NULL, 
	rank INTEGER NOT NULL, 
	label VARCHAR(200) NOT NULL, 
	make VARCHAR(64), 
	model VARCHAR(64), 
	body VARCHAR(64), 
	year INTEGER, 
	confidence FLOAT NOT NULL, 
	CONSTRAINT pk_predictions PRIMARY KEY (file_id, rank), 
	CONSTRAINT fk_predictions_file_id_files FOREIGN KEY(file_id) REFERENCES files (id) ON DELETE CASCADE
);
INSERT INTO "predictions" VALUES(2,0,'Tesla Model S Sedan 2012','Tesla','Model S','Sedan',2012,0.93);
INSERT INTO "predictions" VALUES(5,0,'Audi TTS Coupe 2012','Audi','TTS','Coupe',2012,0.41);
CREATE TABLE removals (
	"key" VARCHAR(128) NOT NULL, 
	since_ms BIGINT NOT NULL, 
	CONSTRAINT pk_removals PRIMARY KEY ("key")
);
CREATE INDEX ix_files_numbers ON files (id, confidence, uploaded_ms);
CREATE INDEX ix_files_search ON files (id, search);
CREATE INDEX ix_files_status ON files (status, id, shown_make, shown_model, confidence, uploaded_ms, search);
CREATE INDEX ix_files_shown_make ON files (shown_make, id, shown_model, status, confidence, uploaded_ms, search);
CREATE INDEX ix_files_shown_model ON files (shown_model, id, shown_make, status, confidence, uploaded_ms, search);
CREATE INDEX ix_jobs_status_number ON jobs (status, number);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('files',7);
COMMIT;
