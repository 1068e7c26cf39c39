import { defineConfig } from "drizzle-kit";

/** Generates D1 migrations from the tables; wrangler applies them. */
export default defineConfig({
  dialect: "sqlite",
  driver: "d1-http",
  schema: "./src/storage/tables.ts",
  out: "./migrations",
});
