export default {
  faces: {
    input: './openapi.json',
    output: { target: './src/api.ts', client: 'fetch', baseUrl: process.env.BASE_URL },
  },
};
