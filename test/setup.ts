import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { keepMainModule } from "./support/main-module";

keepMainModule();
/** Each test file starts with an empty database of today's schema. */
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
